from PIL import Image

from benchmarks.__main__ import main


def test_a_map_is_drawn_in_many_colors(model_path, tmp_path):
    assert main(["map", "--model", str(model_path), "--color", "region", "--out", str(tmp_path)]) == 0
    with Image.open(tmp_path / "map_by_region.png") as picture:
        colors = picture.convert("RGB").getcolors(picture.width * picture.height)
    assert len([color for count, color in colors if count > 200]) > 10


def test_an_unknown_attribute_is_one_line_and_status_2(model_path, tmp_path, capsys):
    assert main(["map", "--model", str(model_path), "--color", "shoe size", "--out", str(tmp_path)]) == 2
    assert "no item has an attribute 'shoe size'; there are " in capsys.readouterr().err


def test_without_a_color_the_attribute_that_tells_most_apart_is_taken(model_path, tmp_path):
    assert main(["map", "--model", str(model_path), "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("map_by_*.png"))) == 1


def test_a_picture_of_another_program_is_not_replaced(model_path, tmp_path, capsys):
    (tmp_path / "map_by_region.png").write_bytes(b"precious")
    options = ["--model", str(model_path), "--color", "region", "--out", str(tmp_path)]
    assert main(["map", *options]) == 2
    assert "--force to replace it" in capsys.readouterr().err
    assert (tmp_path / "map_by_region.png").read_bytes() == b"precious"
