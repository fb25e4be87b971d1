# Everything is written below build/ and .venv/, the caches of tools too. Of bytecode only what pip compiles is kept, beside
# the libraries in .venv, where commands typed by hand find it; `make clean` leaves it.
VENV ?= .venv
BIN := $(VENV)/bin
# Wide enough for all four; the best first. `make PYTHON=...` takes another, for an environment that is not there yet.
PYTHONS := 3.11 3.12 3.13 3.10
export PIP_CACHE_DIR ?= $(CURDIR)/.venv/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1
export MPLCONFIGDIR := $(CURDIR)/build/cache/matplotlib
export KERAS_HOME := $(CURDIR)/build/cache/keras
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/cache/hypothesis
export TMPDIR := $(shell mkdir -p "$(CURDIR)/build/tmp" && echo "$(CURDIR)/build/tmp")
export TF_CPP_MIN_LOG_LEVEL := 3

FIND_PYTHON := PYTHON="$(PYTHON)" sh constraints/find_python.sh $(PYTHONS)
MAKE_ENVIRONMENT := constraints/make_environment.py
INSTALL_KERNEL := sh constraints/install_kernel.sh
RUNTIME := $(shell find device_runtime -type f -not -name "*.pyc")
LIGHT_TESTS := tests/golden tests/device_runtime tests/test_imports.py
# A file of constraints/: the newest numpy, or numpy-oldest.
NUMPY ?= numpy
CASES ?= 10000
SECONDS ?= 600
CLANG ?= $(firstword $(shell command -v clang || command -v clang-14) clang)
C_READER := $(addprefix device_runtime/native/,archive.c attributes.c folding.c manifest.c names.c ranking.c reader.c)

JAVA_LIBRARY := device_runtime/android/library
# JUnit 4 and Hamcrest as Debian's package junit4 brings them; elsewhere name both jars, with a colon between them.
JUNIT ?= /usr/share/java/junit4.jar:/usr/share/java/hamcrest.jar
MODEL ?= build/meals.tflite

.PHONY: demo check test fuzz soak arm64 conformance creader cfuzz lint pictures benchmark wheels web webengines java javatest javabench litert-js onnx clean help

demo: $(VENV)/installed ## Set up, train on the built-in meals, export, ask, compare with one-hot (the default)
	$(BIN)/python -m training --out build/meals
	$(BIN)/python -m export build/meals --out build/meals.tflite --license "CC BY 4.0" --report build/meals.html
	$(BIN)/mignon similar build/meals.tflite pancakes -k 5
	$(BIN)/mignon recommend build/meals.tflite "hot dog" borscht -k 5
	$(BIN)/python -m benchmarks --model build/meals.tflite --out build/benchmarks
	@printf '%s\n' "" "Open build/meals.html in a browser: it tells about the file." \
		"Type $(BIN)/mignon serve build/meals.tflite and open the address it prints: a page to ask it." \
		"Or train a catalog of your own: $(BIN)/python -m training --catalog examples/songs.csv"

check: $(VENV)/check/$(NUMPY)/installed ## The fast tests: stored files, the runtime with numpy alone, imports
	HYPOTHESIS_PROFILE=quick $(VENV)/check/$(NUMPY)/bin/python -m pytest --basetemp=build/tests-check -p tests.light $(LIGHT_TESTS)

test: $(VENV)/installed $(VENV)/light/installed ## All tests
	$(BIN)/python -m pytest --basetemp=build/tests

fuzz: build/meals.tflite ## Damage the demo's file in CASES ways of each kind; whatever is no typed error is reported
	$(BIN)/python -m tests.fuzz --cases $(CASES)

soak: build/meals.tflite ## Mixed load on `mignon serve --writable` for minutes
	$(BIN)/python -m tests.soak

arm64: .venv/arm64/installed .venv/wheels/installed build/meals.tflite ## The built wheels on emulated ARM; for Debian 12
	$(BIN)/python -m build --wheel --outdir build/dist .
	rm -rf .venv/arm64/mignon .venv/arm64/*-native/native
	$(BIN)/pip install --quiet --no-deps --target .venv/arm64/mignon build/dist/mignon-*.whl
	.venv/wheels/bin/python -m native_wheels --only manylinux2014_aarch64 manylinux2014_armv7l
	for machine in aarch64 armv7l; do $(BIN)/python -m zipfile -e build/dist/mignon_native-*-manylinux*_$$machine.whl .venv/arm64/$$machine-native/native || exit 1; done
	$(BIN)/python -m pytest --basetemp=build/tests tests/arm64

conformance: $(VENV)/installed ## Every reader of the format that can run here, asked all stored questions
	$(BIN)/python -m tests.conformance

creader: ## The C reader by gcc and clang for four processors: the stored cases, on emulators where it has to be
	@python3 tests/native/targets.py

cfuzz: ## The C reader against libFuzzer for SECONDS (600); needs clang with its libraries
	rm -rf build/cfuzz/seeds && python3 tests/native/seeds.py build/cfuzz/seeds
	mkdir -p build/cfuzz/corpus
	$(CLANG) -std=c99 -O1 -g -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o build/cfuzz/fuzz device_runtime/native/fuzz.c $(C_READER) -lm
	build/cfuzz/fuzz -max_total_time=$(SECONDS) -timeout=20 -max_len=60000 -artifact_prefix=build/cfuzz/ build/cfuzz/corpus build/cfuzz/seeds

lint: $(VENV)/installed ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

pictures: build/meals.tflite ## The page of `mignon serve` for docs/, drawn by a browser
	$(BIN)/python -m tests.pictures

benchmark: $(VENV)/installed ## All one-hot benchmarks on the file that `make demo` wrote
	$(BIN)/python -m benchmarks --model build/meals.tflite --out build/benchmarks

wheels: .venv/wheels/installed ## The kernel in C as wheels for Linux, macOS and Windows, audited (470 MB on disk)
	.venv/wheels/bin/python -m native_wheels --out build/dist

web: $(VENV)/installed ## The JavaScript module: tests, and the stored files in Node and Chromium
	node --test tests/device_runtime/web/test_*.mjs
	node tests/device_runtime/web/node.mjs tests/golden
	$(BIN)/python -m tests.device_runtime.web.chromium tests/golden

webengines: $(VENV)/installed .venv/web/installed ## The same in Deno, Hermes and LiteRT.js, and its types (300 MB from npm)
	.venv/web/node_modules/.bin/tsc -p tests/device_runtime/web
	DENO_DIR=build/cache/deno .venv/web/node_modules/@deno/*/deno run --allow-read --allow-env --no-remote tests/device_runtime/web/node.mjs tests/golden
	node tests/device_runtime/web/hermes.mjs tests/golden .venv/web/node_modules
	$(BIN)/python -m tests.device_runtime.web.chromium tests/golden --modules .venv/web/node_modules

java: ## The library for Android and the JVM, build/java/mignon.jar; needs a JDK alone
	sh $(JAVA_LIBRARY)/build.sh build/java

javatest: ## Its tests, the conformance set among them; needs JUNIT as well
	sh $(JAVA_LIBRARY)/build.sh build/java $(JUNIT)
	java -cp build/java/test:build/java/tools:build/java/mignon.jar:$(JUNIT) org.junit.runner.JUnitCore \
		$$(cd build/java/test && ls mignon/*Test.class | sed 's|/|.|; s|[.]class$$||')

javabench: ## Times and memory of MODEL read in Java, as JSON
	sh $(JAVA_LIBRARY)/build.sh build/java
	java -cp build/java/tools:build/java/mignon.jar mignon.Bench $(MODEL)

litert-js: $(VENV)/installed .venv/litert-js/installed build/meals.tflite ## LiteRT.js in Chromium on the demo's file and the stored ones, as exact integers (38 MB on disk)
	$(BIN)/python -m tests.export.verification.litert_js build/meals.tflite tests/golden/files/*.tflite --modules .venv/litert-js/node_modules

onnx: $(VENV)/installed .venv/onnx/installed ## tf2onnx and ONNX Runtime on files of ours, and TensorFlow's MLIR importer (2.3 GB on disk)
	$(BIN)/python -m pytest --basetemp=build/tests -rs tests/export/tflite/test_converters.py

clean: ## Remove what was built; the environments stay
	rm -rf build

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo "make PYTHON=/path/to/python TARGET takes that Python for a new environment, VENV=FOLDER another folder for it"

$(VENV)/installed: pyproject.toml constraints/pipeline.txt
	@python=$$($(FIND_PYTHON)) && "$$python" $(MAKE_ENVIRONMENT) $(VENV) "3 GB on disk, 3 to 15 minutes" \
		--constraint constraints/pipeline.txt --editable '.[pipeline,benchmarks,dev]'
	@$(INSTALL_KERNEL) $(VENV)
	@touch $@

$(VENV)/check/%/installed: constraints/check.txt constraints/%.txt
	@python=$$($(FIND_PYTHON)) && "$$python" $(MAKE_ENVIRONMENT) $(@D) "100 MB on disk, less than a minute" \
		--requirement constraints/check.txt --requirement constraints/$*.txt
	@touch $@

# The light install, alone: the built wheel in environments without TensorFlow, one for each interpreter and one for none.
$(VENV)/light/installed: $(VENV)/installed $(RUNTIME)
	$(BIN)/python -m build --sdist --wheel --outdir build/dist .
	for extra in numpy tflite litert; do $(MAKE) --no-print-directory $(VENV)/light/$$extra || exit 1; done
	@$(INSTALL_KERNEL) $(VENV)/light/tflite && $(INSTALL_KERNEL) $(VENV)/light/litert
	touch $@

$(VENV)/light/%: FORCE
	@$(BIN)/python $(MAKE_ENVIRONMENT) $@ "our own wheel" --force-reinstall --no-deps build/dist/mignon-*.whl
	@$(BIN)/python $(MAKE_ENVIRONMENT) $@ "up to 135 MB on disk, less than a minute" --constraint constraints/$*.txt "mignon$(if $(filter numpy,$*),,[$*])"

.venv/wheels/installed: constraints/wheels.txt
	@python=$$($(FIND_PYTHON)) && "$$python" $(MAKE_ENVIRONMENT) $(@D) "470 MB on disk, a minute" --requirement $<
	@touch $@

.venv/web/installed: constraints/web/package.json
	mkdir -p $(@D) && cp $< $(@D)/
	cd $(@D) && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --cache "$(CURDIR)/.venv/cache/npm"
	touch $@

.venv/onnx/installed: constraints/onnx.txt
	@python=$$(PYTHON="$(PYTHON)" sh constraints/find_python.sh 3.11) && "$$python" $(MAKE_ENVIRONMENT) $(@D) "2.3 GB on disk, 1 to 10 minutes" --requirement $<
	@touch $@

# The version of @litertjs/core stands in constraints/web/package.json alone.
.venv/litert-js/installed: constraints/web/package.json
	mkdir -p $(@D) && cd $(@D) && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --no-save --cache "$(CURDIR)/.venv/cache/npm" \
		$$(sed -n 's/.*"\(@litertjs[^"]*\)": "\([^"]*\)".*/\1@\2/p' "$(CURDIR)/$<")
	touch $@

build/meals.tflite:
	$(MAKE) --no-print-directory demo

.venv/arm64/installed: tests/arm64/setup.sh constraints/numpy.txt constraints/tflite.txt constraints/litert.txt | .venv/installed
	sh tests/arm64/setup.sh
	touch $@

FORCE:
