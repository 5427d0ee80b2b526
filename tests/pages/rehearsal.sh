# For blocks that are only rehearsed (rehearsed.json): each program reads its line as ever, with every name and option in it, and
# does nothing. ROOT is the repository.
make() { command make -C "$ROOT" -n "$@" > /dev/null; }
sam() { command sam "$@" --help > /dev/null; }
aws() { command aws "$@" --generate-cli-skeleton output > /dev/null; }
rustup() { command rustup "$1" list | grep "^$3\b" > /dev/null; }
git() { [ "$1" = tag ] && command git check-ref-format "refs/tags/$2"; }
