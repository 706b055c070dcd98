# Completion of gamectl's command lines in fish: gamectl itself says how the line may go on.

function __gamectl_complete
	set -l words (commandline -opc) "$(commandline -ct)"
	set -l found (gamectl complete -- $words[2..] 2>/dev/null)
	if test "$found" != /\t
		printf '%s\n' $found
		return
	end
	# Names of files, also in a word such as --config=FILE.
	set -l parts (string match -r '^(--[a-z]+=|)(.*)$' -- $words[-1])
	string replace -r '^' -- $parts[2] (__fish_complete_path $parts[3])
end
complete -c gamectl -f -a '(__gamectl_complete)'
