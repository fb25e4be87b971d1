# Builds the kernel in C into an environment, if there is a compiler: install_kernel.sh ENVIRONMENT. Without one numpy scans.
set -eu
if ! command -v "${CC:-cc}" >/dev/null && ! command -v gcc >/dev/null; then
    echo "mignon-native: not built, because there is no C compiler; numpy scans the tables"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp device_runtime/native/*.c device_runtime/native/*.h device_runtime/native/*.py device_runtime/native/*.toml device_runtime/native/README.md "$folder/"
"$1/bin/python" -m pip install --quiet --no-deps --force-reinstall "$folder" ||
    echo "mignon-native: not built, see above; numpy scans the tables"
