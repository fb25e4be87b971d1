#!/bin/sh
# build.sh FOLDER [JUNIT]: compiles the library, by a JDK alone, into FOLDER/mignon.jar, the same bytes each time by the
# same JDK, and what asks and times it into FOLDER/tools. With the class path of JUnit 4 also the tests, into FOLDER/test.
set -eu
command -v javac >/dev/null || { echo "build.sh: there is no javac; install a JDK, 9 or later" >&2; exit 1; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

compile() { # SOURCES TO [OPTIONS]
    from=$1 to=$2
    shift 2
    rm -rf "$to"
    mkdir -p "$to"
    find "src/$from/java" -name '*.java' | LC_ALL=C sort >"$out/sources.txt"
    javac --release 8 -encoding UTF-8 -g:source,lines -Xlint:all,-options,-try -Werror "$@" -d "$to" "@$out/sources.txt"
}

compile main "$out/classes"
find "$out/classes" -exec env TZ=UTC touch -t 198002010000.00 {} +
(cd "$out/classes" && find mignon -name '*.class' | LC_ALL=C sort >"$out/classes.txt" &&
    TZ=UTC jar --create --no-manifest --file "$out/mignon.jar" "@$out/classes.txt")
compile tools "$out/tools" -cp "$out/classes"
[ $# -lt 2 ] || compile test "$out/test" -cp "$out/classes:$out/tools:$2"
