# SPDX-License-Identifier: MIT
# Completion of tracemalloc for bash. Installed as bash-completion finds it.

_tracemalloc_options() {
    case $1 in
    run) echo "-n -o -q --native --sample --snapshot-at --any-program --no-follow-fork --help" ;;
    start) echo "-n --sample --help" ;;
    attach) echo "-n -o --sample --snapshot-at --help" ;;
    snapshot) echo "-o --types --help" ;;
    info) echo "--by=process --json --help" ;;
    summary)
        echo "--born= --all-frames --by=process --native --no-native --source --no-source" \
            "--open-modules --json --help" ;;
    leaks)
        echo "-v --verbose -l --limit= --include= --exclude= --all-frames --fail --json" \
            "--help" ;;
    resolve) echo "-o --output= --open-modules --help" ;;
    stats | compare)
        echo "-g --group-by= -l --limit= --cumulative --at= --born= --temporary --domain= --include=" \
            "--exclude= --all-frames --by=process --native --no-native --source --no-source" \
            "--open-modules --json --help" ;;
    tree)
        echo "--inverted --threshold= --at= --born= --temporary --domain= --include= --exclude=" \
            "--all-frames --by=process --native --no-native --source --no-source --open-modules --help" ;;
    top)
        echo "--once --born= --temporary --all-frames --native --no-native --source --no-source --open-modules" \
            "-l --limit= -d --delay= --help" ;;
    merge) echo "-o --output= --help" ;;
    push)
        echo "--format= --url= --every= --label= --at= --born= --temporary --domain= --include=" \
            "--exclude= --all-frames --by=process --native --no-native --source --no-source" \
            "--open-modules --help" ;;
    watch) echo "--once --every= -l --limit= --json --wait --help" ;;
    check)
        echo "--max-peak= --max-growth= --max-leaks= --max-line= --baseline= --tolerance=" \
            "--junit= --github --help" ;;
    export)
        echo "--format= -o --output= -l --limit= --at= --born= --temporary --domain= --include= --exclude=" \
            "--all-frames --by=process --native --no-native --source --no-source" \
            "--open-modules --python= --help" ;;
    flamegraph)
        echo "-o --output= --at= --born= --temporary --diff= --threshold= --domain= --include=" \
            "--exclude= --all-frames --by=process --native --no-native --source --no-source" \
            "--open-modules --help" ;;
    *) echo "--help" ;;
    esac
}

# The values of the option before the cursor, in a command; status 1 when it takes none that are known.
_tracemalloc_values() {
    case $1 in
    --format) [ "$2" = push ] && echo "otlp pprof" || echo "collapsed csv json otlp parquet pprof snapshot speedscope" ;;
    -g | --group-by) echo "filename lineno traceback function module type type,lineno" ;;
    -l | --limit) echo "all" ;;
    --at) echo "now peak exit end" ;;
    --domain) echo "python libc mmap" ;;
    *) return 1 ;;
    esac
}

_tracemalloc() {
    local words current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]}
    # Bash takes `--at=peak` apart at the `=`.
    if [ "$current" = "=" ]; then
        current=
    elif [ "$previous" = "=" ] && [ "$COMP_CWORD" -gt 2 ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="run attach detach ps stop start snapshot clear info stats compare tree top summary leaks merge resolve export push check watch flamegraph --help --version"
    elif words=$(_tracemalloc_values "$previous" "$command"); then
        :
    elif [[ $current == -* ]]; then
        words=$(_tracemalloc_options "$command")
    elif [[ $command == stop || $command == start || $command == snapshot || $command == clear || $command == detach ]]; then
        words=$(tracemalloc ps 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')
    elif [[ $command == attach ]]; then
        words=$(pgrep -f python)
    else
        compopt -o default
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
    return 0
}

complete -F _tracemalloc tracemalloc
