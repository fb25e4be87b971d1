#!/bin/sh
# Makes the emulated devices below .venv/arm64: qemu, Debian's Python for ARM, and the wheels that a device installs.
# apt works in a folder of its own there: it needs no root, and the packages of this machine stay as they are.
set -eu
cd "$(dirname "$0")/../.."
here=$PWD/.venv/arm64

fail() {
    echo "make arm64: $*" >&2
    exit 1
}

# download ARCHITECTURE PACKAGE...: the packages and all that they depend on, into apt/archives.
download() {
    architecture=$1
    shift
    rm -f "$here"/apt/archives/*.deb
    apt-get -qq -o "APT::Architecture=$architecture" install --yes --no-install-recommends --download-only "$@" ||
        fail "apt did not download $* for $architecture; its sources must be those of Debian 12, and reachable"
}

# machine NAME ARCHITECTURE PACKAGE...: the files of a machine that has these packages.
machine() {
    name=$1
    shift
    download "$@"
    for package in "$here"/apt/archives/*.deb; do
        dpkg-deb --extract "$package" "$here/$name"
    done
}

# device MACHINE NAME CPU [PIP ARGUMENT...]: MACHINE-NAME/python, and beside it the wheels that pip is asked for.
device() {
    machine=$1 folder=$here/$1-$2 cpu=$3
    shift 3
    mkdir "$folder"
    if [ $# -gt 0 ]; then
        # Debian 12 has glibc 2.36 and runs what was built for an older one.
        platforms=$(seq --format="--platform manylinux_2_%g_$machine" 17 36)
        # shellcheck disable=SC2086 # a list of words
        .venv/bin/pip install --quiet --target "$folder/wheels" --no-deps --no-compile --only-binary=:all: \
            --implementation cp --python-version 3.11 --platform "manylinux2014_$machine" $platforms "$@" ||
            fail "pip did not install the wheels for $machine"
    fi
    cat >"$folder/python" <<END
#!/bin/sh
export PYTHONPATH="$here/mignon:$folder/wheels:$folder/native" # mignon and what is in native are the built wheels
exec "$here/qemu/$machine" -cpu $cpu -L "$here/$machine" "$here/$machine/usr/bin/python3.11" -s "\$@"
END
    chmod +x "$folder/python"
}

for tool in apt-get dpkg-deb; do
    command -v $tool >/dev/null || fail "$tool is missing; it runs on Debian 12"
done
.venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    fail "it needs .venv of Python 3.11, the Python of Debian 12, whose wheels it installs"
rm -rf "$here"
mkdir -p "$here/apt/state/lists/partial" "$here/apt/archives/partial" "$here/qemu"
touch "$here/apt/status"
cat >"$here/apt/conf" <<END
APT::Architectures { "$(dpkg --print-architecture)"; "arm64"; "armhf"; };
APT::Sandbox::User "root"; // another user may not write here
Dir::State "$here/apt/state";
Dir::State::status "$here/apt/status"; // empty: nothing is installed, so all that a package needs is downloaded
Dir::Cache "$here/apt";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
export APT_CONFIG="$here/apt/conf"
apt-get -qq update || echo "apt did not read every list; going on with those it has" >&2

download "$(dpkg --print-architecture)" qemu-user-static
dpkg-deb --fsys-tarfile "$here"/apt/archives/qemu-user-static_*.deb |
    tar --extract --directory "$here/qemu" --strip-components 3 ./usr/bin/qemu-aarch64-static ./usr/bin/qemu-arm-static
mv "$here/qemu/qemu-aarch64-static" "$here/qemu/aarch64"
mv "$here/qemu/qemu-arm-static" "$here/qemu/armv7l"

machine aarch64 arm64 python3.11 libstdc++6
# qemu shows programs the /proc of this machine, and LiteRT crashes on a list of CPUs that are none of ARM's.
mkdir "$here/aarch64/proc"
cat >"$here/aarch64/proc/cpuinfo" <<END
processor	: 0
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd08
CPU revision	: 3
END
# CPUs of the Raspberry Pi 4 and 2: qemu's own choice has instructions that they lack and that are slow to emulate.
device aarch64 numpy cortex-a72 --requirement constraints/numpy.txt
device aarch64 native cortex-a72 --requirement constraints/numpy.txt
device aarch64 tflite cortex-a72 --requirement constraints/tflite.txt
device aarch64 litert cortex-a72 --requirement constraints/litert.txt

# PyPI has no numpy for armv7l and Debian does; its BLAS is linked as an installation would link it.
machine armv7l armhf python3-numpy libstdc++6
libraries=$here/armv7l/usr/lib/arm-linux-gnueabihf
ln -s blas/libblas.so.3 lapack/liblapack.so.3 "$libraries"
device armv7l numpy cortex-a7
device armv7l native cortex-a7
device armv7l tflite cortex-a7 --constraint constraints/tflite.txt tflite-runtime

rm -rf "$here/apt"
