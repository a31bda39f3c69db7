#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# smsp-load with smspd, and with a server that has one fault.
# shellcheck disable=SC2154  # bats and test_helper.bash set them

load test_helper

setup() {
    client_setup
    load=${SMSP_LOAD:-client/smsp-load}
}

teardown() {
    client_teardown
}

# faulty FAULT [PROGRAM]: starts a server with a fault on $port.
faulty() {
    : >"$BATS_TEST_TMPDIR/port"
    "${2:-client/tests/faulty_server.py}" "$1" >"$BATS_TEST_TMPDIR/port" 3>&- &
    started+=($!)
    wait_for_port "$BATS_TEST_TMPDIR/port" '\([0-9]*\)'
}

# finds FAULT STATUS COMPLAINT [OPTION...]: smsp-load detects the fault.
finds() {
    local expected=$2 complaint=$3
    faulty "$1"
    shift 3
    run "$load" -q -c 1 -n 100 "$@" 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq "$expected" ]
    [[ "$output" == *"$complaint"* ]]
}

# peers_find FAULT COMPLAINT PROTOCOL [STATUS]: the same with another protocol.
peers_find() {
    faulty "$1" client/tests/other_servers.py
    run "$load" -q -p "$3" -c 1 -d 3 -n 60 127.0.0.1 "$port"
    echo "$1 $3 $output"
    [ "$status" -eq "${4:-1}" ]
    [[ "$output" == *"$2"* ]]
}

# number NAME: that of the JSON object in $output.
number() {
    /usr/bin/python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$output" "$1"
}

# latency NAME AT_LEAST AT_MOST, in microseconds.
latency() {
    /usr/bin/python3 -c 'import json, sys
found = json.loads(sys.argv[1])["latency_us"][sys.argv[2]]
print(sys.argv[2], found)
sys.exit(not float(sys.argv[3]) <= found <= float(sys.argv[4]))' "$output" "$@"
}

# usage MESSAGE OPTIONS...: status 2 and this one line.
usage() {
    local expected=$1
    shift
    run "$load" "$@"
    echo "$output"
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "smsp-load: $expected" ]
}

@test "load: every mix against smspd, every reply right" {
    start_server --memory
    for mix in cycle job send fetch count login connect; do
        for depth in 1 7; do
            wanted=300
            [ "$mix" != login ] || wanted=9 # each costs an Argon2id hash
            run "$load" -q -j -m "$mix" -c 3 -d "$depth" -n "$wanted" -s 100 --seed "$depth" 127.0.0.1 "$port"
            echo "$mix $depth $status $output"
            [ "$status" -eq 0 ]
            [ "$(number requests)" -ge "$wanted" ]
            [ "$(number wrong)" -eq 0 ]
        done
    done
}

@test "load: requests and rounds agree with the messages on the server" {
    start_server --memory
    run "$load" -q -j -m send -c 4 -d 8 -n 400 127.0.0.1 "$port"
    [ "$status" -eq 0 ]
    requests=$(number requests)
    rounds=$(number rounds)
    [ "$requests" -eq "$((2 * rounds))" ]
    total=0
    for i in 0 1 2 3; do
        count=$(printf 'LOGIN load1x%s load\n' "$i" | nc -N 127.0.0.1 "$port" | sed 's/^OK //')
        reply=$(printf 'COUNT load1x%s %s\n' "$i" "$count" | nc -N 127.0.0.1 "$port")
        total=$((total + ${reply#COUNTED }))
    done
    echo "rounds $rounds, held $total"
    [ "$total" -eq "$rounds" ]
}

@test "load: mailboxes are empty after a run that ends by time" {
    start_server --memory
    run "$load" -q -j -c 2 -d 16 -t 0.3 127.0.0.1 "$port"
    [ "$status" -eq 0 ]
    cookie=$(printf 'LOGIN load1x0 load\n' | nc -N 127.0.0.1 "$port" | sed 's/^OK //')
    reply=$(printf 'COUNT load1x0 %s\n' "$cookie" | nc -N 127.0.0.1 "$port")
    echo "$reply"
    [ "$reply" = "COUNTED 0" ]
}

@test "load: clients share accounts" {
    start_server --memory
    run "$load" -q -j -m job -a 2 -c 6 -d 4 -n 600 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "load: --cookies: the second run uses the sessions of the first, a stale one is replaced" {
    start_server --memory
    file="$BATS_TEST_TMPDIR/cookies"
    for _ in 1 2; do
        run "$load" -q -j -c 3 -n 30 --cookies "$file" 127.0.0.1 "$port"
        echo "$output"
        [ "$status" -eq 0 ]
        [ "$(wc -l <"$file")" -eq 3 ]
    done
    [ "$(stat -c %a "$file")" = 600 ]
    printf 'LOGIN load1x1 load\n' | nc -N 127.0.0.1 "$port"
    run "$load" -q -j -c 3 -n 30 --cookies "$file" 127.0.0.1 "$port"
    [ "$status" -eq 0 ]
    [ "$(wc -l <"$file")" -eq 4 ]
    run "$load" -q --cookies /nowhere/at/all 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 2 ]
    [ "$output" = "smsp-load: --cookies /nowhere/at/all: No such file or directory" ]
}

@test "load: the largest and the smallest message" {
    start_server --memory
    for size in 16 4096; do
        run "$load" -q -j -m job -c 2 -d 64 -n 1000 -s "$size" 127.0.0.1 "$port"
        echo "$output"
        [ "$status" -eq 0 ]
    done
}

@test "load: a correct server passes" {
    faulty none
    run "$load" -q -c 1 -d 5 -n 100 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "load: a wrong text is detected, at any depth" {
    for depth in 1 5; do
        finds text 1 'first wrong reply: client 0, step 3, message 0: 0000-00000000-x' -m job -d "$depth"
    done
}

@test "load: if texts of all clients are accepted, a text of nobody is detected" {
    for fault in text number sender stranger dash second filling short high low; do
        faulty "$fault"
        run "$load" -q -m job -c 2 -d 1 -n 100 127.0.0.1 "$port"
        echo "$fault $status $output"
        [ "$status" -eq 1 ]
        [[ "$output" == *'the first wrong reply: client '*', step 3, '* ]]
    done
}

@test "load: accounts that cannot be created and mailboxes that cannot be filled are reported" {
    faulty deny
    run "$load" -q -c 1 -n 10 127.0.0.1 "$port"
    [ "$status" -eq 2 ]
    [ "$output" = "smsp-load: REGISTER and LOGIN of load1x0 both failed: KO" ]
    faulty cookie
    run "$load" -q -c 1 -n 10 127.0.0.1 "$port"
    [ "$status" -eq 2 ]
    faulty ko
    run "$load" -q -m fetch -c 1 -n 10 127.0.0.1 "$port"
    [ "$status" -eq 2 ]
    [ "$output" = "smsp-load: filling the mailbox of load1x0: STORE answered KO" ]
    for requests in 54 57; do # the 20th request is a MESSAGE or a STORE that fills
        faulty close
        run "$load" -q -m fetch -c 1 -n "$requests" 127.0.0.1 "$port"
        [ "$status" -eq 2 ]
        [ "$output" = "smsp-load: the server closed the connection before its reply" ]
    done
    faulty nobody
    run "$load" -q -m count -c 1 -n 10 127.0.0.1 "$port"
    [ "$status" -eq 1 ]
    faulty again
    run "$load" -q -m login -c 1 -n 40 127.0.0.1 "$port"
    [ "$status" -eq 1 ]
    [[ "$output" == *'step 5, message 0: KO\x0a'* ]]
}

@test "load: replies in pieces are received completely" {
    faulty pieces
    run "$load" -q -c 1 -d 3 -n 50 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "load: a server that stops answering: status 2 after ten seconds" {
    faulty mute
    run "$load" -q -c 1 -n 100 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ "$output" == 'smsp-load: no reply for 10 s with '*' requests unanswered' ]]
}

@test "load: reports that nothing was counted, or that requests were not sent in time" {
    start_server --memory --password-cost test
    run "$load" -q -m count -c 1 -r 0.1 -w 0.2 -t 0.1 127.0.0.1 "$port"
    [ "$status" -eq 2 ]
    [ "$output" = "smsp-load: no request was counted; run longer than the warm-up" ]
    run timeout --foreground --preserve-status -s INT 1 "$load" -q -m count -c 1 -r 0.1 -w 50 127.0.0.1 "$port"
    [ "$status" -eq 130 ]
    faulty slow
    run "$load" -q -m count -c 1 -r 1000 -t 0.3 127.0.0.1 "$port"
    [ "$status" -eq 0 ]
    [[ "$output" == *' requests were due but not sent: the server is slower than --rate 1000' ]]
}

@test "load: lines of the cookies file that do not fit are ignored" {
    start_server --memory --password-cost test
    file="$BATS_TEST_TMPDIR/cookies"
    printf 'load1x0stranger x\nload1x0 %s\nload1x0\nload1x0 stale\n' "$(printf 'c%.0s' {1..300})" >"$file"
    run "$load" -q -c 1 -n 10 --cookies "$file" 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "load: a rejected STORE is detected" {
    finds ko 1 'first wrong reply: client 0, step 1, message 0: KO\x0a' -d 5
}

@test "load: COUNTED 0 for a mailbox with a message is detected" {
    finds count 1 'step 2, message 0: COUNTED 0' -d 5
}

@test "load: a reply without a request is detected" {
    finds extra 1 'first wrong reply'
}

@test "load: a connection that ends: status 2" {
    finds close 2 'client 0: the server closed the connection with ' -d 5
}

@test "load: Redis, beanstalkd and echo, alone, shared, at any depth, and in pieces" {
    for fault in none cut; do
        faulty "$fault" client/tests/other_servers.py
        for protocol in redis beanstalkd echo; do
            for depth in 1 7; do
                run "$load" -q -j -p "$protocol" -c 2 -d "$depth" -n 100 --seed "$depth" 127.0.0.1 "$port"
                echo "$fault $protocol $depth $status $output"
                [ "$status" -eq 0 ]
                [ "$(number requests)" -ge 100 ]
                [ "$(number wrong)" -eq 0 ]
            done
        done
        run "$load" -q -p echo -m connect -c 2 -n 20 127.0.0.1 "$port"
        [ "$status" -eq 0 ]
    done
}

@test "load: each wrong reply of Redis, beanstalkd and echo is detected" {
    peers_find put 'first wrong reply: client 0, step 0, message ' redis
    peers_find put ': BURIED\x0d\x0a' beanstalkd
    peers_find put ': !0000-' echo
    peers_find look ': $-1\x0d\x0a' redis
    peers_find look ': NOT_FOUND' beanstalkd
    peers_find remove 'step 2, message ' redis
    peers_find remove 'step 2, message ' beanstalkd
    for protocol in redis beanstalkd echo; do
        peers_find text 'first wrong reply: client 0, step ' "$protocol"
        peers_find close 'the server closed the connection with ' "$protocol" 2
    done
    peers_find end 'first wrong reply: client 0, step ' redis
    peers_find end 'first wrong reply: client 0, step ' beanstalkd
    for protocol in redis beanstalkd; do
        usage "--mix send: --protocol $protocol has only job" -p "$protocol" -m send 127.0.0.1 "$port"
    done
}

@test "load: on a terminal it shows progress" {
    start_server --memory --password-cost test
    run script -qec "$load -m count -c 1 -t 1.3 127.0.0.1 $port" /dev/null
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *$'\r     1 s '*' requests'* ]]
}

@test "load: nobody listens: one line, status 2" {
    run "$load" -q 127.0.0.1 1
    echo "$output"
    [ "$status" -eq 2 ]
    [ "$output" = "smsp-load: cannot connect to 127.0.0.1 port 1: Connection refused" ]
}

@test "load: with --rate, latency begins when a request is due" {
    faulty stall
    run "$load" -q -j -m count -c 1 -d 1 -r 200 -t 1 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(($(number requests) + $(number unsent)))" -ge 190 ]
    # 300 ms of 1 s: the 60 requests due in it waited 0 to 300 ms, so a tenth of all waited 200 ms and more.
    latency p90 100000 310000
    latency most 250000 400000
}

@test "load: without --rate the same stall is one slow request" {
    faulty stall
    run "$load" -q -j -m count -c 1 -d 1 -n 200 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
    latency p90 0 90000
    latency most 250000 400000
}

@test "load: a rate that the server cannot reach: requests that were not sent are reported" {
    faulty slow
    run "$load" -q -j -m count -c 1 -d 1 -r 1000 -t 0.5 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
    sent=$(number requests)
    unsent=$(number unsent)
    [ "$unsent" -gt 300 ]
    [ "$((sent + unsent))" -ge 495 ]
    [ "$((sent + unsent))" -le 505 ]
}

@test "load: the rate is that of --rate" {
    start_server --memory
    run "$load" -q -j -m count -c 4 -d 2 -r 1000 -t 1 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
    due=$(($(number requests) + $(number unsent))) # unsent: on a busy machine
    [ "$due" -ge 990 ]
    [ "$due" -le 1010 ]
}

@test "load: fetch: a fast client does not read messages of a slow one" {
    start_server --memory --password-cost test
    for _ in $(seq 20); do
        run "$load" -q -m fetch -c 3 -n 300 -s 100 127.0.0.1 "$port"
        echo "$output"
        [ "$status" -eq 0 ]
    done
}

@test "load: Ctrl-C: prints the result and ends with status 130" {
    start_server --memory --password-cost test
    # --foreground: only one SIGINT, a second ends it at once
    run timeout --foreground --preserve-status -s INT 2 "$load" -q -c 4 -t 60 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 130 ]
    [[ "$output" == *' requests/s, '*', 0 wrong'* ]]
    [[ "$output" == *'smsp-load: ended by Ctrl-C after '*' s of counting'* ]]
}

@test "load: after an interrupted run, or the mix send, the next run has no wrong replies" {
    start_server --memory --password-cost test --max-clients 4
    for _ in {1..10}; do
        run "$load" -q -c 8 -t 5 127.0.0.1 "$port"
        [ "$status" -eq 2 ]
        [[ "$output" == "smsp-load: client "*"; the server may not accept 8 clients at once" ]]
        for _ in {1..100}; do # the server may need a moment to see that the clients have gone
            run "$load" -q -c 3 -n 100 127.0.0.1 "$port"
            echo "$output"
            [ "$status" -eq 2 ] || break
            sleep 0.05
        done
        [ "$status" -eq 0 ]
    done
    run "$load" -q -m send -s 50 -c 2 -n 1000 127.0.0.1 "$port"
    [ "$status" -eq 0 ]
    run "$load" -q -m job -d 4 -c 2 -n 100 127.0.0.1 "$port"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "load: output that cannot be written is reported: status 2" {
    start_server --memory --password-cost test
    for options in -q '-q -j' --help --version; do
        # shellcheck disable=SC2086 # words
        run bash -c '"$@" >/dev/full' - "$load" $options -c 2 -n 20 127.0.0.1 "$port"
        echo "$output"
        [ "$status" -eq 2 ]
        [ "$output" = "smsp-load: cannot write the output: No space left on device" ]
    done
    run bash -c '"$@" >&-' - "$load" -q -c 2 -n 20 127.0.0.1 "$port"
    [ "$status" -eq 2 ]
    [ "$output" = "smsp-load: cannot write the output: Bad file descriptor" ]
}

@test "load: with standard descriptors closed, only requests are sent to the server" {
    faulty text
    # the report of the wrong reply would be the server's next request
    run timeout 10 bash -c '"$@" <&- >&- 2>&-' - "$load" -m job -c 1 -n 20 127.0.0.1 "$port"
    [ "$status" -eq 2 ]
    start_server --memory --password-cost test
    run timeout 10 bash -c '"$@" 2>&-' - "$load" -c 4 -n 100 127.0.0.1 "$port"
    [ "$status" -eq 0 ]
    [ -n "$output" ]
}

@test "load: wrong options end with one line and status 2" {
    usage 'give HOST and PORT; smsp-load --help lists the options' 127.0.0.1
    usage '--clients 0: give a whole number from 1 to 10000' -c 0 h 1
    usage '--depth 1025: give a whole number from 1 to 1024' -d 1025 h 1
    usage '--size 15: give a whole number from 16 to 4096' -s 15 h 1
    usage '--size 4097: give a whole number from 16 to 4096' -s 4097 h 1
    usage '--clients 1.5: give a whole number from 1 to 10000' -c 1.5 h 1
    usage '--time 1s: give a number from 0.01 to 86400' -t 1s h 1
    usage '--requests: cannot be combined with --warmup or --rate; give --time instead' -n 5 -r 1 h 1
    usage '--time x: give a number from 0.01 to 86400' -t x h 1
    usage '--protocol x: choose smsp, redis, beanstalkd or echo' -p x h 1
    usage '--mix fetch: give --requests too, so that mailboxes can be filled before' -m fetch h 1
    usage '--requests: cannot be combined with --warmup or --rate; give --time instead' -n 5 -w 1 h 1
    usage '--accounts: give at most as many as --clients' -c 2 -a 3 h 1
    usage '--accounts: clients share accounts with --protocol smsp only; leave it out' -p redis -c 2 -a 1 h 1
    usage '--mix job: --protocol echo has only echo and connect' -p echo -m job 127.0.0.1 1
    usage '--mix x: choose cycle, job, send, fetch, count, login or connect' -m x 127.0.0.1 1
    usage "unknown option '--nonsense'; smsp-load --help lists the options" --nonsense h 1
    usage "unknown option '-x'; smsp-load --help lists the options" -qx h 1
    usage "a value is missing after option '--rate'; smsp-load --help lists the options" h 1 --rate
    usage "a value is missing after option '-r'; smsp-load --help lists the options" h 1 -r
    [ "${#lines[@]}" -eq 1 ]
}

@test "load: --help and --version" {
    [ "$("$load" --help | awk 'length > 90' | wc -l)" -eq 0 ]
    run "$load" --help
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "usage: smsp-load [options] HOST PORT" ]
    run "$load" --version
    [ "$status" -eq 0 ]
    [ "$output" = "smsp-load $(sed -n 's/^.define SMSP_VERSION "\(.*\)"/\1/p' engine/smsp.h)" ]
}
