# shellcheck shell=bash
# Completion of gamectl's command lines in bash: gamectl itself says how the line may go on.

_gamectl()
{
	local word words=() glue='' tail cut=0

	# bash parts words at ':' and '=', which are parts of ours.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ ${#words[@]} -gt 0 && ($glue || $word == [:=]*) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		if [[ $word == *[:=] ]]; then glue=yes; else glue=''; fi
	done
	# Of the word, what readline replaces is behind the last of these.
	tail=${words[-1]##*[:=]}
	[[ $COMP_WORDBREAKS != *[:=]* ]] || cut=$((${#words[-1]} - ${#tail}))

	while IFS=$'\t' read -r word _; do
		if [ "$word" = / ]; then
			compopt -o default
		else
			COMPREPLY+=("${word:cut}")
		fi
	done < <(gamectl complete -- "${words[@]}" 2>/dev/null)
}
complete -F _gamectl gamectl
