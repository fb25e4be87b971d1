"""Builds the extension with a C compiler alone, once for CPython 3.10 and later."""

import sys

from setuptools import Extension, setup

# No processor is named: which instructions to use is decided at run time.
FLAGS = [] if sys.platform == "win32" else ["-std=c99", "-O3", "-g0", "-ffp-contract=off", "-fvisibility=hidden"]

setup(
    ext_modules=[
        Extension(
            "mignon_native",
            sources=["kernel.c", "tastes.c", "catalog.c", "module.c"],
            depends=["kernel.h", "tastes.h", "module.h"],
            extra_compile_args=FLAGS,
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
