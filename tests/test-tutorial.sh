#!/bin/sh
# The tutorial's commands, word for word, from installed files only.
# SPDX-License-Identifier: BSD-3-Clause
set -e
unset MAKEFLAGS MAKELEVEL WEFT_PLUGIN_PATH
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS
source=$(cd "${srcdir:-.}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-tutorial-XXXXXX")
trap 'rm -rf "$work"' EXIT

fail () {
  echo "$*" >&2
  exit 1
}

test -d tests/root || fail "there is no tests/root; \`make check\` installs what is tried here into it"
cp -R tests/root "$work/root"
config=$(find "$work/root" -name weft-1.pc)
test -n "$config" || fail "no weft-1.pc was installed"
libraries=$(dirname "$(dirname "$config")")
prefix=$(sed -n 's/^prefix=//p' "$config")
# Moved as a whole: everything finds what belongs to it beside it.
sed "s|^prefix=.*|prefix=$work/root$prefix|" "$config" >"$config.new"
mv "$config.new" "$config"
PATH=$work/root$prefix/bin:$PATH
PKG_CONFIG_PATH=$(dirname "$config")${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
HOME=$work/home XDG_DATA_HOME=$work/home
export PATH PKG_CONFIG_PATH LD_LIBRARY_PATH HOME XDG_DATA_HOME
mkdir "$work/empty" "$work/home"
cd "$work/empty"

case $(command -v weft) in
  "$work"/*) ;;
  *) fail "another weft would be tested: $(command -v weft)" ;;
esac
weft info >"$work/info" || fail "weft info fails"
grep -q "$work/root" "$work/info" || fail "modules are not those that were installed: $(cat "$work/info")"
! grep -q refused "$work/info" || fail "$(cat "$work/info")"
weft check scenes --brief >/dev/null || fail "installed pipelines are not found"

# Lines of the tutorial that begin with a prompt.
sed -n 's/^    \$ //p' "$source/doc/tutorial.md" >"$work/commands"
first=$(grep -n 'test-operator' "$work/commands" | head -1 | cut -d: -f1)
test "$first" -gt 1 && test "$first" -lt 10 || fail "lesson 1 takes $first commands to its gradient check"
while read -r command; do
  case $command in *'$(pkg-config --cflags --libs weft-1)'*) command="$command $SANITIZERS" ;; esac
  eval "$command" >"$work/output" 2>&1 || fail "$command: $(cat "$work/output")"
  case $command in
    *test-operator*) grep -q '^  gradients *passed' "$work/output" || fail "$command: $(cat "$work/output")" ;;
  esac
done <"$work/commands"

# Each header by itself, in C and C++.
for header in "$work/root$prefix"/include/weft-1/weft/*.h; do
  include="#include <weft/$(basename "$header")>"
  # shellcheck disable=SC2046
  echo "$include" | cc -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -xc $(pkg-config --cflags weft-1) - || fail "$header is not C by itself"
  command -v c++ >/dev/null || continue
  # shellcheck disable=SC2046
  echo "$include" | c++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -xc++ $(pkg-config --cflags weft-1) - || fail "$header is not C++ by itself"
done

# What is installed beside it.
man=$(find "$work/root" -name weft-test-operator.1)
grep -q '^\.SH OPTIONS' "$man" || fail "weft-test-operator(1) has no options"
for command in $(weft --commands); do
  test -s "$(dirname "$man")/weft-$command.1" || fail "weft-$command(1) is missing"
done
reference=$(find "$work/root" -name reference.md)
for operator in $(weft inspect --names); do
  grep -q "^### $operator\$" "$reference" || fail "the reference lacks $operator"
done
if command -v bash >/dev/null; then
  completion=$(find "$work/root" -path '*bash-completion*' -name weft.bash)
  # shellcheck disable=SC2016
  completed=$(bash -c 'source "$1"; compopt () { :; }; COMP_WORDS=(weft train scenes --set graphs.train.nodes.loss.marg); COMP_CWORD=4
    _weft weft "${COMP_WORDS[4]}"; echo "${COMPREPLY[@]}"; COMP_WORDS=(weft inspect position_b); COMP_CWORD=2; _weft weft position_b
    echo "${COMPREPLY[@]}"; COMP_WORDS=(weft test-operator --spe); COMP_CWORD=2; _weft weft --spe; echo "${COMPREPLY[@]}"' - "$completion" | tr '\n' ' ')
  # shellcheck disable=SC2016
  completed=$completed$(bash -c 'source "$1"; compopt () { :; }
    complete_last () { COMP_WORDS=(weft "$@"); COMP_CWORD=$#; _weft weft "${!#}"; echo "${COMPREPLY[@]}"; }
    complete_last graph scenes -g cap; complete_last run scenes -g images --until v.sge.w; complete_last explain scenes text.gpo.w
    complete_last explain scenes drop_' - "$completion" | tr '\n' ' ')
  test "$completed" = 'graphs.train.nodes.loss.margin= position_batch_norm --speed captions v.sge.weights text.gpo.weights drop_epoch ' || fail "completed: $completed"
fi
echo passed
