#compdef gamectl
# Completion of gamectl's command lines in zsh: gamectl itself says how the line may go on.

_gamectl()
{
	local line
	local -a found shown

	for line in "${(@f)$(gamectl complete -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
		[[ -n $line ]] || continue
		found+=("${line%%$'\t'*}")
		shown+=("${line/$'\t'/  -- }")
	done
	if [[ "$found" == / ]]; then
		compset -P '--*='
		_files
	else
		compadd -l -d shown -a found
	fi
}
_gamectl "$@"
