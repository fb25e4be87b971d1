#!/bin/sh
# Perl's IO::Uncompress::Unzip returns a ZIP that has bytes before it as if it were not compressed, 2026-11-30.
#
# Packages: IO::Uncompress::Unzip 2.106 (of Perl 5.36); the archive is made by zipfile of Python 3.11
#
# Guess before: An archive behind other bytes, as in self-extracting programs and in .tflite files with metadata, is
# found by the directory at its end; else it is an error.
#
# Behavior: The module looks for an entry at the first byte alone. Where there is none, its option Transparent, on
# unless switched off, takes the whole file for data that nobody compressed: `unzip` returns true, $UnzipError is empty,
# and the output is the raw file. With Transparent => 0 it fails as it should.
#
# Output:
#   plain.zip: ok 1, error "", 5 bytes
#   prefixed.zip: ok 1, error "", 131 bytes
#   prefixed.zip, Transparent => 0: ok 0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" - <<'END'
import zipfile

with open("prefixed.zip", "wb") as file:
    file.write(b"#!/bin/sh\necho hi\n")
for name in ("prefixed.zip", "plain.zip"):
    with zipfile.ZipFile(name, "a") as archive:
        archive.writestr("a.txt", "hello")
assert zipfile.ZipFile("prefixed.zip").read("a.txt") == b"hello"
END
cat >ask.pl <<'END'
use strict;
use IO::Uncompress::Unzip qw(unzip $UnzipError);
my $changed = 0;
for my $name ("plain.zip", "prefixed.zip") {
    my $ok = unzip($name => \my $output) ? 1 : 0;
    printf "%s: ok %d, error \"%s\", %d bytes\n", $name, $ok, $UnzipError, length $output;
    my $expected = $name eq "plain.zip" ? 5 : -s $name;
    $changed = 1 if !$ok || length $output != $expected;
}
my $ok = unzip("prefixed.zip" => \my $output, Transparent => 0) ? 1 : 0;
print "prefixed.zip, Transparent => 0: ok $ok\n";
exit($changed || $ok);
END
perl ask.pl
