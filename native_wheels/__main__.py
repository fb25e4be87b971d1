"""`python -m native_wheels --out FOLDER`: the kernel as wheels for all platforms, inspected, and its sources."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from native_wheels.auditing import audit_wheel, table_of
from native_wheels.compiling import BuildError, compile_extension, write_headers
from native_wheels.packing import copy_project, pack_sources, pack_wheel, write_metadata
from native_wheels.platforms import PLATFORMS, Platform

ROOT = Path(__file__).parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Builds what is asked for; gives the status to exit with."""
    parser = argparse.ArgumentParser(prog="python -m native_wheels", description=__doc__)
    tags = [platform.short_tag for platform in PLATFORMS]
    parser.add_argument("--out", type=Path, default=Path("build/dist"), help="folder for the wheels (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("build/native_wheels"), help="for what comes between")
    parser.add_argument("--only", nargs="+", choices=tags, default=tags, metavar="TAG", help=", ".join(tags))
    options = parser.parse_args(arguments)
    try:
        build(
            [one for one in PLATFORMS if one.short_tag in options.only], options.out.resolve(), options.work.resolve()
        )
    except BuildError as error:
        print(f"native_wheels: {error}", file=sys.stderr)
        return 1
    return 0


def build(platforms: list[Platform], out: Path, work: Path) -> None:
    """Writes the sources and a wheel for each platform into `out`, and prints a table of them.

    Raises:
        BuildError: one cannot be built, or is not what it has to be; it is not in `out` then.
    """
    project, headers = work / "project", work / "headers"
    out.mkdir(parents=True, exist_ok=True)
    copy_project(ROOT / "device_runtime" / "native", ROOT / "LICENSE", project)
    write_headers(headers)
    metadata = write_metadata(project, work / "metadata")
    archive, sources = pack_sources(project, out, work / "sources")
    wheels = []
    for platform in platforms:
        print(f"building for {platform.name}", file=sys.stderr, flush=True)
        extension = compile_extension(platform, sources, headers, work / platform.tag)
        wheel = pack_wheel(platform, extension, metadata, work / platform.tag)
        audit_wheel(platform, wheel, work / platform.tag)
        wheels.append(Path(shutil.move(wheel, out / wheel.name)))
    print(table_of(platforms, wheels))
    print(f"\n{archive.name}, {archive.stat().st_size:,} bytes, is compiled everywhere else")


if __name__ == "__main__":
    sys.exit(main())
