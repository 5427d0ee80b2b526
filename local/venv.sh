#!/usr/bin/env bash
# Makes local/.venv with exactly the packages of local/requirements.txt: on first use, and anew whenever
# the pins or the Python changed. Two at once wait for each other; one that died half-way counts for nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
venv=local/.venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "!!! Python 3.11 or newer is needed; $python is $("$python" -V). Name another with PYTHON=..." >&2
  exit 1
}
mkdir -p .tools
exec 9> .tools/venv.lock
flock 9
wanted=$("$python" -VV; cat local/requirements.txt)
if [ "$wanted" = "$(cat "$venv/made-from" 2>/dev/null)" ]; then
  exit 0
fi
echo "==> install the pinned tools into $venv (about a minute)"
started=$SECONDS
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r local/requirements.txt
printf '%s\n' "$wanted" > "$venv/made-from"
echo "    done in $((SECONDS - started)) s"
