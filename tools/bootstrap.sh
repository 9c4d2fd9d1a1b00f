# Sourced by ./run, ./check and .ci/run: leaves the clone's root as working directory and a usable
# uv in $uv. Nothing is installed outside the clone: without a uv on the machine, .tools becomes a
# virtual environment that holds one pinned uv and its cache.
# shellcheck shell=bash

uv_pinned=0.13.9  # what our own .tools gets; uv changes quickly, so the version is exact
uv_oldest=0.8.0   # the oldest one found on the machine that we trust to read uv.lock

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 70
unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT  # somebody else's environment is none of ours
export UV_PYTHON_DOWNLOADS=never

missing() {  # the exit code of "a part is missing"; see docs/index.md
    printf 'ninelives: %s\nhint: %s\n' "$1" "$2" >&2
    exit 69
}

find_python() {  # prints the first Python that is new enough and can make virtual environments
    local candidate
    for candidate in python3 python3.{14,13,12,11}; do
        # The interpreter itself, not a shim in front of it: uv takes a shim for another Python than
        # the one in .venv, and would build the environment anew at each start.
        if "$candidate" -c '
import sys, venv, ensurepip
if sys.version_info < (3, 11): sys.exit(1)
print(sys.executable)' 2>/dev/null; then
            return
        fi
    done
    return 1
}

uv_on_machine() {
    local version
    version=$(uv --version 2>/dev/null) || return 1
    version=${version#uv } version=${version%% *}
    [[ $(printf '%s\n' "$uv_oldest" "$version" | sort -V | head -n 1) == "$uv_oldest" ]]
}

if uv_on_machine; then
    uv=uv
else
    python=$(find_python) || missing "no Python 3.11 or newer with the venv module was found" \
        "on Debian and Ubuntu: apt-get install python3-venv"
    uv=.tools/bin/uv
    export UV_CACHE_DIR=${UV_CACHE_DIR:-$PWD/.tools/cache} UV_PYTHON=${UV_PYTHON:-$python}
    if [[ $("$uv" --version 2>/dev/null) != "uv $uv_pinned"* ]]; then
        echo "ninelives: setting up in $PWD/.tools and $PWD/.venv (once, about 20 s)" >&2
        "$python" -m venv .tools || missing "$python could not make a virtual environment" \
            "on Debian and Ubuntu: apt-get install python3-venv"
        .tools/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir \
            "uv==$uv_pinned" || missing "uv $uv_pinned could not be installed" \
            "the first start needs the Python package index; a proxy or a mirror is set in pip's configuration"
    fi
fi
