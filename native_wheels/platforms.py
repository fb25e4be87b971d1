"""What is built, and how zig and pip call it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A system and a processor.

    Attributes:
        name: for people.
        target: zig's triple; of Linux with the oldest C library, of macOS with the oldest release.
        tag: pip's, which says the same; with a dot between two that mean the same.
        suffix: of the extension's file.
        flags: for the linker or the processor.
        machine: what `zig dlltool` calls the processor; of Windows alone.
        tried: where a wheel was run; None where it was built and inspected alone.
    """

    name: str
    target: str
    tag: str
    suffix: str = ".abi3.so"
    flags: tuple[str, ...] = ()
    machine: str | None = None
    tried: str | None = None

    @property
    def short_tag(self) -> str:
        """The first of its tags."""
        return self.tag.partition(".")[0]

    @property
    def musl_name(self) -> str | None:
        """What Alpine calls the C library musl, and auditwheel knows it by; None where it is another."""
        processor, _, rest = self.target.partition("-")
        return f"libc.musl-{processor}.so.1" if rest == "linux-musl" else None


# What is undefined Python brings when it loads the extension; by itself zig names that after the folder it lies in.
_FOR_PYTHON = ("-Wl,-undefined,dynamic_lookup", "-Wl,-install_name,mignon_native.abi3.so")

PLATFORMS = (
    Platform(
        "Linux x86-64",
        "x86_64-linux-gnu.2.17",
        "manylinux2014_x86_64.manylinux_2_17_x86_64",
        tried="Python 3.10 to 3.13",
    ),
    Platform(
        "Linux aarch64",
        "aarch64-linux-gnu.2.17",
        "manylinux2014_aarch64.manylinux_2_17_aarch64",
        tried="emulated, Python 3.11",
    ),
    # NEON as every Raspberry Pi from the second on has it; the module says so where it is missing.
    Platform(
        "Linux armv7l",
        "arm-linux-gnueabihf.2.17",
        "manylinux2014_armv7l.manylinux_2_17_armv7l",
        flags=("-mcpu=generic+v7a+vfp3d16+neon",),
        tried="emulated, Python 3.11",
    ),
    Platform("Linux x86-64, musl", "x86_64-linux-musl", "musllinux_1_1_x86_64.musllinux_1_2_x86_64"),
    Platform("Linux aarch64, musl", "aarch64-linux-musl", "musllinux_1_1_aarch64.musllinux_1_2_aarch64"),
    Platform("macOS arm64", "aarch64-macos.11.0", "macosx_11_0_arm64", flags=_FOR_PYTHON),
    Platform("macOS x86-64", "x86_64-macos.11.0", "macosx_11_0_x86_64", flags=_FOR_PYTHON),
    Platform("Windows amd64", "x86_64-windows-gnu", "win_amd64", ".pyd", machine="i386:x86-64"),
    Platform("Windows arm64", "aarch64-windows-gnu", "win_arm64", ".pyd", machine="arm64"),
)
