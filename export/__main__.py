"""python -m export: a trained folder in, one .tflite file out; python -m export lint: what is wrong with any file."""

from export.command import main

if __name__ == "__main__":
    raise SystemExit(main())
