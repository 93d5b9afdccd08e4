"""What peers read when they are first imported: one thread for everybody, and no more than AVX2 where actc has no more.

Import it before anything else. With `ACTC_ISA=avx2` those peers are left out that cannot be held to AVX2.
"""

import os
from importlib.metadata import version

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS", "NPROC"):
    os.environ[variable] = "1"
flags = ["--xla_cpu_multi_thread_eigen=false"]

CAPPED = os.environ.get("ACTC_ISA") == "avx2"
if CAPPED:
    groups = "X86_V4" if tuple(map(int, version("numpy").split(".")[:2])) >= (2, 4) else "AVX512F AVX512CD AVX512_SKX"
    os.environ["NPY_DISABLE_CPU_FEATURES"] = f"{groups} AVX512_ICL AVX512_SPR"
    os.environ["ATEN_CPU_CAPABILITY"] = "avx2"
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = "haswell", ""
    flags.append("--xla_cpu_max_isa=AVX2")
os.environ["XLA_FLAGS"] = " ".join([*flags, os.environ.get("XLA_FLAGS", "")]).strip()
os.environ.setdefault("JAX_PLATFORMS", "cpu")
