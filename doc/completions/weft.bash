# Completion of weft for bash: commands, options, operators, pipelines, nodes and attributes.
# SPDX-License-Identifier: BSD-3-Clause
_weft ()
{
  local word=$2 weft=${COMP_WORDS[0]} IFS=$'\n'
  local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "$("$weft" --commands 2>/dev/null)" -- "$word"))
    return
  fi
  case $word in
    -*) COMPREPLY=($(compgen -W "$("$weft" "${words[0]}" --list-options 2>/dev/null)" -- "$word")) ;;
    *) COMPREPLY=($("$weft" complete "${words[@]}" 2>/dev/null)) ;;
  esac
  case ${COMPREPLY[0]-} in
    *[.=]) compopt -o nospace ;;
  esac
}
complete -o default -F _weft weft
