"""The kernel in C as wheels for all platforms, built on one machine: zig compiles and links for each of them."""
