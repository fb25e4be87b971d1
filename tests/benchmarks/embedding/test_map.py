from PIL import Image

from benchmarks.__main__ import main


def test_a_map_is_drawn_in_many_colors(model_path, tmp_path):
    assert main(["map", "--model", str(model_path), "--color", "region", "--out", str(tmp_path)]) == 0
    with Image.open(tmp_path / "map_by_region.png") as picture:
        colors = picture.convert("RGB").getcolors(picture.width * picture.height)
    assert len([color for count, color in colors if count > 200]) > 10


def test_an_unknown_attribute_is_one_line_and_status_2(model_path, tmp_path, capsys):
    assert main(["map", "--model", str(model_path), "--color", "shoe size", "--out", str(tmp_path)]) == 2
    assert "no item has an attribute 'shoe size'" in capsys.readouterr().err
