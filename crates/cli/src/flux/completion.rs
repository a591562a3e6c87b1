//! `completion`: scripts that ask this program to complete command lines.

use super::invocation::Invocation;
use super::{Outcome, output};

/// Runs `completion SHELL`.
pub(super) fn run(invocation: &Invocation<'_>, shell: &str) -> Outcome {
    let name = invocation.program;
    let script = match shell {
        "bash" => BASH,
        "zsh" => ZSH,
        "fish" => FISH,
        _ => POWERSHELL,
    };
    output::out(script.replace("@NAME@", name));
    Ok(())
}

const BASH: &str = r#"# bash completion for @NAME@

__start_@NAME@() {
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}") line directive=0 offers=()
    while IFS= read -r line; do
        case "$line" in
            :*) directive="${line#:}" ;;
            *) offers+=("${line%%$'\t'*}") ;;
        esac
    done < <(@NAME@ __complete "${words[@]}" 2>/dev/null)
    COMPREPLY=()
    if ((${#offers[@]} > 0)); then
        local IFS=$'\n'
        COMPREPLY=($(compgen -W "${offers[*]}" -- "${COMP_WORDS[COMP_CWORD]}"))
    elif ((directive == 0)); then
        compopt -o default 2>/dev/null
    fi
}

complete -o nosort -F __start_@NAME@ @NAME@
"#;

const ZSH: &str = r#"#compdef @NAME@

_@NAME@() {
    local line directive=0
    local -a offers
    while IFS= read -r line; do
        case "$line" in
            :*) directive="${line#:}" ;;
            *$'\t'*) offers+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            *) offers+=("${line//:/\\:}") ;;
        esac
    done < <(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#offers} )); then
        _describe '@NAME@' offers
    elif (( directive == 0 )); then
        _files
    fi
}

compdef _@NAME@ @NAME@
"#;

const FISH: &str = r"# fish completion for @NAME@

function __@NAME@_offers
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    @NAME@ __complete $words[2..-1] $last 2>/dev/null | string match -v ':*'
end

complete -c @NAME@ -e
complete -c @NAME@ -f -a '(__@NAME@_offers)'
";

const POWERSHELL: &str = r"# powershell completion for @NAME@

Register-ArgumentCompleter -CommandName '@NAME@' -ScriptBlock {
    param($WordToComplete, $CommandAst, $CursorPosition)
    $Words = @($CommandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($WordToComplete -eq '') { $Words += '' }
    & '@NAME@' __complete @Words 2>$null | Where-Object { -not $_.StartsWith(':') } | ForEach-Object {
        $Offer, $About = $_.Split([char]9, 2)
        if (-not $About) { $About = $Offer }
        [System.Management.Automation.CompletionResult]::new($Offer, $Offer, 'ParameterValue', $About)
    }
}
";
