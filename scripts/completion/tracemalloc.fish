# SPDX-License-Identifier: MIT
# Completion of tracemalloc for fish.

set -l commands run attach detach ps stop start snapshot clear info stats compare tree top summary leaks \
    merge resolve export push check watch flamegraph

complete -c tracemalloc -n "not __fish_seen_subcommand_from $commands" -f
complete -c tracemalloc -n __fish_use_subcommand -a run -d 'start a program and trace it'
complete -c tracemalloc -n __fish_use_subcommand -a attach -d 'trace a process that runs'
complete -c tracemalloc -n __fish_use_subcommand -a detach -d 'end that'
complete -c tracemalloc -n __fish_use_subcommand -a ps -d 'list the traced processes'
complete -c tracemalloc -n __fish_use_subcommand -a stop -d 'stop tracing a process'
complete -c tracemalloc -n __fish_use_subcommand -a start -d 'start tracing a process'
complete -c tracemalloc -n __fish_use_subcommand -a snapshot -d 'copy the dump of a running process'
complete -c tracemalloc -n __fish_use_subcommand -a clear -d 'discard what was recorded'
complete -c tracemalloc -n __fish_use_subcommand -a info -d 'show which program a dump comes from'
complete -c tracemalloc -n __fish_use_subcommand -a stats -d 'show what holds the memory'
complete -c tracemalloc -n __fish_use_subcommand -a compare -d 'show what grew between two dumps'
complete -c tracemalloc -n __fish_use_subcommand -a tree -d 'show the calls that hold the memory'
complete -c tracemalloc -n __fish_use_subcommand -a top -d 'watch what a running program holds'
complete -c tracemalloc -n __fish_use_subcommand -a summary -d "show a program's memory on one screen"
complete -c tracemalloc -n __fish_use_subcommand -a leaks -d 'name the lines that leak'
complete -c tracemalloc -n __fish_use_subcommand -a merge -d 'merge several dumps into one'
complete -c tracemalloc -n __fish_use_subcommand -a resolve -d 'write the names of native frames into a dump'
complete -c tracemalloc -n __fish_use_subcommand -a export -d 'write dumps in other formats'
complete -c tracemalloc -n __fish_use_subcommand -a push -d 'send profiles to a server'
complete -c tracemalloc -n __fish_use_subcommand -a check -d 'check that dumps stay within limits'
complete -c tracemalloc -n __fish_use_subcommand -a watch -d 'watch the dumps of many processes in a directory'
complete -c tracemalloc -n __fish_use_subcommand -a flamegraph -d 'write a flame graph for a browser'

set -l pids "(tracemalloc ps 2>/dev/null | string match -rg '^\s*(\d+)\s')"
complete -c tracemalloc -n '__fish_seen_subcommand_from stop start snapshot clear detach' -f -a $pids
complete -c tracemalloc -n '__fish_seen_subcommand_from snapshot' -l types -d 'count the live objects by type'
complete -c tracemalloc -n '__fish_seen_subcommand_from attach' -f -a '(__fish_complete_pids)'

set -l reports '__fish_seen_subcommand_from stats compare'
complete -c tracemalloc -n $reports -s g -l group-by -x -a 'filename lineno traceback function module type type,lineno'
complete -c tracemalloc -n $reports -s l -l limit -x -a all
complete -c tracemalloc -n $reports -l at -x -a 'now peak exit end'
complete -c tracemalloc -n $reports -l born -x
complete -c tracemalloc -n $reports -l temporary
complete -c tracemalloc -n $reports -l domain -x -a 'python libc mmap'
complete -c tracemalloc -n $reports -l include -x
complete -c tracemalloc -n $reports -l exclude -x
complete -c tracemalloc -n $reports -l cumulative
complete -c tracemalloc -n $reports -l all-frames
complete -c tracemalloc -n '__fish_seen_subcommand_from info summary stats compare' -l json
complete -c tracemalloc -n '__fish_seen_subcommand_from summary top' -l all-frames

set -l leaks '__fish_seen_subcommand_from leaks'
complete -c tracemalloc -n $leaks -s v -l verbose
complete -c tracemalloc -n $leaks -s l -l limit -x -a all
complete -c tracemalloc -n $leaks -l include -x
complete -c tracemalloc -n $leaks -l exclude -x
complete -c tracemalloc -n $leaks -l all-frames
complete -c tracemalloc -n $leaks -l fail
complete -c tracemalloc -n $leaks -l json

complete -c tracemalloc -n '__fish_seen_subcommand_from info summary stats tree' -l by -x -a process

set -l shown '__fish_seen_subcommand_from stats compare tree top summary export push flamegraph'
complete -c tracemalloc -n $shown -l native
complete -c tracemalloc -n $shown -l no-native
complete -c tracemalloc -n $shown -l open-modules
complete -c tracemalloc -n $shown -l source
complete -c tracemalloc -n $shown -l no-source

set -l tree '__fish_seen_subcommand_from tree'
complete -c tracemalloc -n $tree -l inverted
complete -c tracemalloc -n $tree -l threshold -x
complete -c tracemalloc -n $tree -l at -x -a 'now peak exit end'
complete -c tracemalloc -n $tree -l born -x
complete -c tracemalloc -n $tree -l temporary
complete -c tracemalloc -n $tree -l domain -x -a 'python libc mmap'
complete -c tracemalloc -n $tree -l include -x
complete -c tracemalloc -n $tree -l exclude -x
complete -c tracemalloc -n $tree -l all-frames

complete -c tracemalloc -n '__fish_seen_subcommand_from top push' -a $pids
complete -c tracemalloc -n '__fish_seen_subcommand_from top' -l once
complete -c tracemalloc -n '__fish_seen_subcommand_from top summary' -l born -x
complete -c tracemalloc -n '__fish_seen_subcommand_from top' -l temporary
complete -c tracemalloc -n '__fish_seen_subcommand_from top' -s l -l limit -x -a all
complete -c tracemalloc -n '__fish_seen_subcommand_from top' -s d -l delay -x
complete -c tracemalloc -n '__fish_seen_subcommand_from merge resolve' -s o -l output -r
complete -c tracemalloc -n '__fish_seen_subcommand_from resolve' -l open-modules

complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l max-peak -x
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l max-growth -x
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l max-leaks -x
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l max-line -x
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l baseline -r
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l tolerance -x
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l junit -r
complete -c tracemalloc -n '__fish_seen_subcommand_from check' -l github
complete -c tracemalloc -n '__fish_seen_subcommand_from watch' -l once
complete -c tracemalloc -n '__fish_seen_subcommand_from watch' -l every -x
complete -c tracemalloc -n '__fish_seen_subcommand_from watch' -s l -l limit -x -a all
complete -c tracemalloc -n '__fish_seen_subcommand_from watch' -l json
complete -c tracemalloc -n '__fish_seen_subcommand_from watch' -l wait

complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l format -x -a 'otlp pprof'
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l url -x
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l label -x
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l every -x
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l at -x -a 'now peak exit end'
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l born -x
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l domain -x -a 'python libc mmap'
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l include -x
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l exclude -x
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l all-frames
complete -c tracemalloc -n '__fish_seen_subcommand_from push' -l by -x -a process

complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l format -x \
    -a 'collapsed csv json otlp parquet pprof snapshot speedscope'
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -s o -l output -r
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -s l -l limit -x -a all
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l at -x -a 'now peak exit end'
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l born -x
complete -c tracemalloc -n '__fish_seen_subcommand_from export push' -l temporary
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l domain -x -a 'python libc mmap'
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l include -x
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l exclude -x
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l all-frames
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l by -x -a process
complete -c tracemalloc -n '__fish_seen_subcommand_from export' -l python -x

set -l flamegraph '__fish_seen_subcommand_from flamegraph'
complete -c tracemalloc -n $flamegraph -s o -l output -r
complete -c tracemalloc -n $flamegraph -l diff -r
complete -c tracemalloc -n $flamegraph -l threshold -x
complete -c tracemalloc -n $flamegraph -l at -x -a 'now peak exit end'
complete -c tracemalloc -n $flamegraph -l born -x
complete -c tracemalloc -n $flamegraph -l temporary
complete -c tracemalloc -n $flamegraph -l domain -x -a 'python libc mmap'
complete -c tracemalloc -n $flamegraph -l include -x
complete -c tracemalloc -n $flamegraph -l exclude -x
complete -c tracemalloc -n $flamegraph -l all-frames
complete -c tracemalloc -n $flamegraph -l by -x -a process
complete -c tracemalloc -n '__fish_seen_subcommand_from run start attach' -l sample -d 'record a sample of the blocks'
complete -c tracemalloc -n '__fish_seen_subcommand_from run attach' -l snapshot-at -x -d 'copy the dump when that much memory is in use'
