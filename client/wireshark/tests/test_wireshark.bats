#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Tests the dissector with tshark, on the captures for a class and on one of all conformance transcripts.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    conformance/smsp-conformance --export "$BATS_FILE_TMPDIR/flat" >/dev/null
    client/wireshark/make-capture "$BATS_FILE_TMPDIR/all.pcap" "$BATS_FILE_TMPDIR"/flat/*.flat
}

setup() {
    cd "$BATS_TEST_DIRNAME/../../.." || return 1
    mail=client/wireshark/mail.pcap
    mistakes=client/wireshark/mistakes.pcap
    export HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config # not the user's plugins and preferences
}

# shark CAPTURE [OPTION...]: what tshark prints with the dissector in two passes, as Wireshark shows it.
shark() {
    timeout 120 tshark -n -2 -X lua_script:client/wireshark/smsp.lua -r "$@" 2>"$BATS_TEST_TMPDIR/errors"
}

# fields CAPTURE FILTER FIELD...: these fields of the frames that the filter selects, between semicolons.
fields() {
    local capture=$1 filter=$2 names=() name
    shift 2
    for name in "$@"; do
        names+=(-e "$name")
    done
    shark "$capture" -Y "$filter" -T fields -E 'separator=;' "${names[@]}"
}

@test "wireshark: a request and its reply as fields" {
    run -0 fields "$mail" 'frame.number == 1' smsp.verb smsp.username smsp.framing smsp.number smsp.reply_in
    [ "$output" = "REGISTER;alice;LF;1;2" ]
    run -0 fields "$mail" 'frame.number == 2' smsp.code smsp.cookie smsp.request_in smsp.time
    [[ $output =~ ^"OK <cookie>;"[0-9a-f]{32}";1;0.001000000"$ ]]
    run -0 fields "$mail" 'smsp.verb == "MESSAGE"' smsp.content
    [ "${lines[0]}" = "Dear Bob, this is the older message." ]
    run -0 fields "$mail" 'smsp.code == "content"' smsp.content
    [ "$output" = "And this is the newer one." ]
    run -0 fields "$mail" 'smsp.count' smsp.code smsp.count
    [ "$output" = "COUNTED;1" ]
}

@test "wireshark: each of the mail capture's requests has its reply, and no rule is broken" {
    [ "$(fields "$mail" 'smsp.verb' smsp.verb | wc -l)" -eq 13 ]
    [ "$(fields "$mail" 'smsp.verb and smsp.reply_in' smsp.verb | wc -l)" -eq 13 ]
    [ -z "$(fields "$mail" 'smsp.rule' smsp.rule)" ]
}

@test "wireshark: pipelined requests are matched with their replies, each with its time" {
    run -0 fields "$mistakes" 'frame.number == 3' smsp.verb smsp.number smsp.reply_in
    [ "$output" = "MESSAGE,STORE,COUNT,GETMSG;2,3,4,5;4,4,4,5" ]
    run -0 fields "$mistakes" 'frame.number == 4 or frame.number == 5' smsp.code smsp.number smsp.request_in smsp.time
    [ "${lines[0]}" = "OK,OK,COUNTED;2,3,4;3,3,3;0.001000000,0.001000000,0.001000000" ]
    [ "${lines[1]}" = "content;5;3;0.002000000" ]
}

@test "wireshark: requests may end with LF, CR LF, NUL or nothing" {
    for framing in "0 LF" "1 CR LF" "2 NUL" "3 none"; do
        run -0 fields "$mistakes" "tcp.stream == ${framing%% *} and smsp.verb" smsp.framing
        [ "${lines[0]%%,*}" = "${framing#* }" ]
        [ "$(fields "$mistakes" "tcp.stream == ${framing%% *} and smsp.request_in" smsp.code | wc -l)" -gt 0 ]
    done
}

@test "wireshark: a request in pieces is shown once, in the frame that completes it" {
    run -0 fields "$mistakes" 'tcp.stream == 4' frame.number smsp.verb smsp.username smsp.code
    [ "${lines[0]}" = "14;;;" ]
    [ "${lines[1]}" = "15;;;" ]
    [ "${lines[2]}" = "16;REGISTER;carol;" ]
    [ "${lines[3]}" = "17;;;OK <cookie>" ]
    [ "${lines[4]}" = "18;DUMP;;" ]
}

@test "wireshark: what breaks a rule is expert information with the rule's id and level" {
    run -0 fields "$mistakes" 'smsp.rule' smsp.rule
    [ "${output//$'\n'/ }" = "REQ-3 REQ-4 REQ-5 REQ-1 REG-7 REQ-2 LGO-3 CNT-1 FRM-3 DMP-2 REQ-3 REQ-3 FRM-10 FRM-12" ]
    run -0 fields "$mistakes" 'smsp.rule.dmp_2' frame.number _ws.expert.message
    [ "$output" = "39;DMP-2 (MUST): not a reply to DUMP" ]
    run -0 fields "$mistakes" '_ws.expert.severity == error' smsp.rule # MUST
    [ "${output//$'\n'/ }" = "LGO-3 CNT-1 DMP-2" ]
}

@test "wireshark: passwords are hidden, also in malformed requests, until the preference shows them" {
    for words in wonderland sesame builder; do
        run ! grep -q "$words" <(shark "$mail" -V; shark "$mistakes" -V; shark "$mail"; shark "$mistakes")
    done
    run -0 fields "$mail" 'smsp.password' smsp.password
    [ "${lines[0]}" = "********" ]
    run -0 shark "$mail" -o smsp.show_passwords:TRUE -Y 'smsp.password == "builder"'
    [ "${#lines[@]}" -eq 2 ]
    [[ $output == *"REGISTER bob builder"* ]]
}

@test "wireshark: another port, by preference and by Decode As" {
    printf 'I 2026-01-01T12:00:00.0\n000000 44 55 4d 50 0a\n\nO 2026-01-01T12:00:01.0\n000000 4f 4b 0a\n' |
        text2pcap -q -F pcap -D -t '%Y-%m-%dT%H:%M:%S.%f' -4 192.0.2.1,192.0.2.2 -T 40000,5000 - "$BATS_TEST_TMPDIR/port.pcap"
    [ -z "$(fields "$BATS_TEST_TMPDIR/port.pcap" smsp frame.number)" ]
    for option in "-o smsp.port:5000" "-d tcp.port==5000,smsp"; do
        # shellcheck disable=SC2086 # an option and its value
        run -0 shark "$BATS_TEST_TMPDIR/port.pcap" $option -T fields -e smsp.verb -e smsp.code
        [ "${output//[$'\t\n']/ }" = "DUMP   OK" ]
    done
}

# The server of the transcripts is right: no reply breaks a rule.
@test "wireshark: in all conformance transcripts each reply has its request, and no reply breaks a rule" {
    replies=$(cat "$BATS_FILE_TMPDIR"/flat/*.flat | grep -cE '^(recv|line) ')
    [ "$replies" -gt 3000 ]
    [ -z "$(fields "$BATS_FILE_TMPDIR/all.pcap" 'smsp.code and smsp.rule' frame.number smsp.rule)" ]
    run -0 fields "$BATS_FILE_TMPDIR/all.pcap" 'smsp.request_in' smsp.request_in
    [ "$(tr ',' '\n' <<<"$output" | wc -l)" -ge "$replies" ]
    run ! grep -i lua "$BATS_TEST_TMPDIR/errors"
    [ -z "$(fields "$BATS_FILE_TMPDIR/all.pcap" '_ws.lua.error or _ws.malformed' frame.number)" ]
}

@test "wireshark: the captures for a class are those of their transcripts" {
    for name in mail mistakes; do
        client/wireshark/make-capture "$BATS_TEST_TMPDIR/$name.pcap" client/wireshark/$name.flat
        diff <(shark client/wireshark/$name.pcap -T fields -e frame.time_epoch -e tcp.srcport -e tcp.payload) \
            <(shark "$BATS_TEST_TMPDIR/$name.pcap" -T fields -e frame.time_epoch -e tcp.srcport -e tcp.payload)
    done
}

@test "wireshark: make-capture reports wrong usage and what is missing" {
    run -2 client/wireshark/make-capture
    [[ $output == *"usage: "* ]]
    PATH=/nowhere run -1 /usr/bin/python3 client/wireshark/make-capture "$BATS_TEST_TMPDIR/out.pcap" client/wireshark/mail.flat
    [[ $output == "make-capture: text2pcap is not installed"* ]]
}
