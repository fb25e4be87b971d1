# Everything is written below build/ and .venv/, the caches of tools and bytecode too.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PIP_CACHE_DIR ?= $(CURDIR)/.venv/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/cache/python
export MPLCONFIGDIR := $(CURDIR)/build/cache/matplotlib
export KERAS_HOME := $(CURDIR)/build/cache/keras
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/cache/hypothesis
export TMPDIR := $(shell mkdir -p "$(CURDIR)/build/tmp" && echo "$(CURDIR)/build/tmp")
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: demo test arm64 lint benchmark clean

demo: .venv/installed ## Train on the built-in meals, export, ask, and compare with one-hot
	$(BIN)/python -m training --out build/model
	$(BIN)/python -m export build/model --out build/meals.tflite --license "CC BY 4.0" --report build/meals.html
	$(BIN)/mignon similar build/meals.tflite pancakes -k 5
	$(BIN)/mignon recommend build/meals.tflite "hot dog" borscht -k 5
	$(BIN)/python -m benchmarks --model build/meals.tflite --out build/benchmarks

test: .venv/installed .venv/light/installed ## All tests
	$(BIN)/python -m pytest --basetemp=build/tests

arm64: .venv/arm64/installed build/meals.tflite ## The built wheel on emulated ARM; for Debian 12
	$(BIN)/python -m build --wheel --outdir build/dist .
	rm -rf .venv/arm64/mignon
	$(BIN)/pip install --quiet --no-deps --target .venv/arm64/mignon build/dist/mignon-*.whl
	$(BIN)/python -m pytest --basetemp=build/tests tests/arm64

lint: .venv/installed ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: .venv/installed ## All benchmarks on the file that `make demo` wrote
	$(BIN)/python -m benchmarks --model build/meals.tflite --out build/benchmarks

clean: ## Remove what was built; the environment stays
	rm -rf build

.venv/installed: pyproject.toml constraints/pipeline.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints/pipeline.txt --editable '.[pipeline,benchmarks,dev]'
	touch $@

# The light install, alone: the built wheel in environments without TensorFlow, one for each interpreter and one for none.
.venv/light/installed: .venv/installed $(shell find device_runtime -name "*.py" -o -name "*.html")
	$(BIN)/python -m build --wheel --outdir build/dist .
	for extra in numpy tflite litert; do $(MAKE) --no-print-directory .venv/light/$$extra || exit 1; done
	touch $@

build/meals.tflite:
	$(MAKE) --no-print-directory demo

.venv/arm64/installed: tests/arm64/setup.sh constraints/numpy.txt constraints/tflite.txt constraints/litert.txt constraints/index.txt | .venv/installed
	sh tests/arm64/setup.sh
	touch $@

.venv/light/%: FORCE
	test -x $@/bin/python || $(PYTHON) -m venv $@
	$@/bin/pip install --quiet --force-reinstall --no-deps build/dist/mignon-*.whl
	$@/bin/pip install --quiet --constraint constraints/$*.txt "mignon$(if $(filter numpy,$*),,[$*])"

FORCE:
