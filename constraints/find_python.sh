#!/bin/sh
# find_python.sh VERSION...: prints the path of the first Python that fits, best version first, and can make environments.
# Looks for python3.11 and the like, for python3 and python, and among pyenv's; where PYTHON is set, at that one alone.
# Where none fits: one line that says which it needs and what it found, and status 1.
wanted="$*"
found=

# Says "3.11 /path/to/python" of a Python that runs; of one that cannot make environments "3.11 without venv".
describe() {
    "$1" -c '
import sys
version = "{}.{}".format(*sys.version_info[:2])
try:
    import ensurepip, venv
    print(version, sys.executable)
except ImportError:
    print(version, "without venv")
' 2>/dev/null
}

consider() { # VERSION CANDIDATE: prints and ends if it fits
    answer=$(describe "$2") || return 0
    case "$answer" in
    *" without venv") found="$found, $2 ${answer} (on Debian: apt install python${answer%% *}-venv)" ;;
    "$1 "*)
        echo "${answer#* }"
        exit 0
        ;;
    *) found="$found, $2 ${answer%% *}" ;;
    esac
}

if [ -n "${PYTHON:-}" ]; then
    for version; do
        consider "$version" "$PYTHON"
    done
    found=", ${found##*, }"
    [ "$found" = ", " ] && found=", $PYTHON, which does not run"
else
    for version; do
        for candidate in "python$version" python3 python "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
            consider "$version" "$candidate"
        done
    done
    found=$(echo "$found" | sed 's/, /\n/g' | awk 'NF && !seen[$0]++' | paste -sd, | sed 's/,/, /g; s/^/, /')
fi
[ "$found" = ", " ] && found=
found=${found#, }
echo "mignon needs Python $(echo "$wanted" | sed 's/ /, /g') with venv; found ${found:-none}; give one as make PYTHON=/path/to/python" >&2
exit 1
