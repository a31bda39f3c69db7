#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# One command at a time, with the real server: replies, exit statuses, cookies.
# shellcheck disable=SC2154  # bats and test_helper.bash set them

load test_helper.bash

setup() {
    client_setup
    start_server
}

teardown() {
    client_teardown
}

@test "commands: register prints the reply and stores the cookie with mode 0600" {
    SMSP_PASSWORD=pw run --separate-stderr smsp register alice
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^OK\ [0-9a-f]{32}$ ]]
    [ -z "$stderr" ]
    [ "$(cat "$(cookie_file alice)")" = "${output#OK }" ]
    [ "$(stat -c %a "$(cookie_file alice)")" = 600 ]
    [ "$(stat -c %a "$XDG_STATE_HOME/smsp")" = 700 ]
    [ "$(cat "$(cookie_file)")" = alice ]
    [ "$(find "$XDG_STATE_HOME/smsp" -type f | wc -l)" -eq 2 ]
}

@test "commands: register an existing name, login with a wrong password: KO, status 1, the session stays valid" {
    register alice
    before=$(cat "$(cookie_file alice)")
    SMSP_PASSWORD=other run --separate-stderr smsp register alice
    expect_run 1 KO ""
    SMSP_PASSWORD=other run --separate-stderr smsp login alice
    expect_run 1 KO ""
    [ "$(cat "$(cookie_file alice)")" = "$before" ]
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 0" ""
}

@test "commands: send, count, read, delete and back to nothing" {
    register alice
    register bob
    run --separate-stderr smsp send alice 'two  spaces, ünïcödé, trailing '
    expect_run 0 OK ""
    run --separate-stderr smsp count alice
    expect_run 0 "COUNTED 1" ""
    export SMSP_USER=alice
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 1" ""
    run --separate-stderr smsp read
    expect_run 0 'two  spaces, ünïcödé, trailing ' ""
    run --separate-stderr smsp read
    expect_run 0 'two  spaces, ünïcödé, trailing ' ""
    run --separate-stderr smsp delete
    expect_run 0 OK ""
    run --separate-stderr smsp delete
    expect_run 1 KO ""
    run --separate-stderr smsp read
    expect_run 1 KO ""
}

@test "commands: a message whose text is KO, or that begins with a dash, is a message" {
    register alice
    smsp send alice KO
    run --separate-stderr smsp read
    expect_run 0 KO ""
    smsp delete
    smsp send alice -n --trace '$cookie'
    run --separate-stderr smsp read
    expect_run 0 '-n --trace $cookie' ""
}

@test "commands: read prints the text unchanged if standard output is not a terminal" {
    register alice
    text=$(printf '%04d ' {1..819})x # 4,096 bytes
    [ ${#text} -eq 4096 ]
    run --separate-stderr smsp send alice "$text"
    expect_run 0 OK ""
    smsp read >"$BATS_TEST_TMPDIR/read"
    printf '%s\n' "$text" | cmp - "$BATS_TEST_TMPDIR/read"
    run --separate-stderr smsp send alice "${text}y"
    expect_run 2 "" "smsp: the text was not sent: it has 4097 bytes; the maximum is 4096"
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 1" ""
}

@test "commands: text with control characters or without UTF-8 is not sent" {
    register alice
    for text in $'a\tb' $'\e[2J' $'a\nDUMP' $'\xff' $'\xc2\x9b31m' $'\x7f'; do
        run --separate-stderr "$smsp" --trace 127.0.0.1 "$port" send alice "$text"
        expect_run 2 "" "smsp: the line was not sent: it contains a control character or is not UTF-8"
    done
    [ ! -s "$BATS_TEST_TMPDIR/terminal" ]
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 0" ""
}

@test "commands: send to an unknown user reports that the text stays in the IMQ" {
    register alice
    run --separate-stderr smsp send nobody hello
    expect_run 1 KO "smsp: no such user, or no room in their mailbox; the text stays in the IMQ, *"
    smsp dump
    grep -qx '  1: hello' "$BATS_TEST_TMPDIR/terminal"
}

@test "commands: send reports that MESSAGE was rejected and STORE moved another text" {
    client_teardown
    start_server --max-messages 4 # a sender's share of the IMQ is one message
    register alice
    smsp send nobody first || [ $? -eq 1 ]
    run --separate-stderr smsp send alice second
    expect_run 1 KO "smsp: the text was rejected, but STORE moved another one, the most recent in the IMQ, to alice"
    run --separate-stderr smsp read
    expect_run 0 first ""
}

@test "commands: logout ends the session and removes the cookie" {
    register alice
    run --separate-stderr smsp logout
    expect_run 0 OK ""
    [ ! -e "$(cookie_file alice)" ]
    run --separate-stderr smsp count
    expect_run 2 "" "smsp: alice is not logged in *"
    SMSP_PASSWORD=pw run --separate-stderr smsp login
    [ "$status" -eq 0 ]
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 0" ""
}

@test "commands: a session that ended elsewhere: the reply says so, status 1" {
    register alice
    (XDG_STATE_HOME="$BATS_TEST_TMPDIR/elsewhere" SMSP_PASSWORD=pw smsp login alice)
    for words in count read delete "send alice hi"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr smsp $words
        expect_run 1 "You should log in first." ""
    done
    run --separate-stderr smsp logout
    expect_run 1 KO ""
    [ ! -e "$(cookie_file alice)" ]
}

@test "commands: logout does not remove the cookie of a newer login" {
    register alice
    start_peer 'read 1; say OK\n'
    give_cookie alice old
    (sleep 0.2; echo 'LOGOUT $cookie'; sleep 0.2) | "$smsp" -u alice 127.0.0.1 "$port" &
    sleep 0.1
    give_cookie alice new
    wait $!
    [ "$(cat "$(cookie_file alice)")" = new ]
}

@test "commands: alice and bob share a shell: -u, then SMSP_USER, then the last login" {
    register alice
    register bob
    smsp send alice 'for alice'
    run --separate-stderr "$smsp" -u alice 127.0.0.1 "$port" count
    expect_run 0 "COUNTED 1" ""
    run --separate-stderr smsp count
    expect_run 0 "COUNTED 0" ""
    SMSP_USER=alice run --separate-stderr smsp count
    expect_run 0 "COUNTED 1" ""
    SMSP_USER=alice run --separate-stderr "$smsp" --user bob 127.0.0.1 "$port" count
    expect_run 0 "COUNTED 0" ""
    SMSP_USER='' run --separate-stderr smsp count
    expect_run 0 "COUNTED 0" ""
}

@test "commands: cookies are stored by host as typed, name or address" {
    register alice
    run --separate-stderr "$smsp" localhost "$port" count
    expect_run 2 "" "smsp: not logged in at localhost *"
}

@test "commands: without XDG_STATE_HOME cookies are in the home directory" {
    home="$BATS_TEST_TMPDIR/home"
    mkdir "$home"
    for state in "" relative; do
        (HOME=$home XDG_STATE_HOME=$state SMSP_PASSWORD=pw smsp register "u$state")
        [ -f "$home/.local/state/smsp/127.0.0.1:$port:u$state" ]
    done
    (unset XDG_STATE_HOME; HOME=$home smsp count)
}

@test "commands: no name leaves the state directory" {
    start_peer 'read 1; say OK c0\n; eof'
    SMSP_PASSWORD=pw smsp register '../x/%y:z'
    [ "$(cat "$XDG_STATE_HOME/smsp/127.0.0.1:$port:..%2Fx%2F%25y%3Az")" = c0 ]
    [ "$(find "$XDG_STATE_HOME" -type f | wc -l)" -eq 2 ]
}

@test "commands: a cookie file that others can read, that is damaged or a link is not used" {
    register alice
    file=$(cookie_file alice)
    for mode in 644 640 620 604 610; do
        chmod "$mode" "$file"
        run --separate-stderr smsp logout
        [ "$status" -eq 2 ]
        [ "${stderr_lines[0]}" = "smsp: $file: not a regular file that only you can read; remove it and log in again" ]
    done
    chmod 600 "$file"
    for bytes in '' 'no newline' $'two words\n' $'\e[31m\n' "$(printf '%300s' '' | tr ' ' a)"; do
        printf '%s' "$bytes" >"$file"
        run --separate-stderr smsp count
        [ "$status" -eq 2 ]
        [ "${stderr_lines[0]}" = "smsp: $file: damaged; remove it and log in again" ]
    done
    rm "$file"
    ln -s /dev/zero "$file"
    run --separate-stderr smsp count
    [ "$status" -eq 2 ]
    [[ "${stderr_lines[0]}" == "smsp: cannot read $file: "* ]]
}

@test "commands: a cookie that cannot be stored is reported: status 2, no incomplete file" {
    XDG_STATE_HOME=/dev/null SMSP_PASSWORD=pw run --separate-stderr smsp register alice
    [ "$status" -eq 2 ]
    [[ "$stderr" == "smsp: cannot store the cookie in /dev/null/smsp/"*": Not a directory; set XDG_STATE_HOME to a directory that you can write" ]]
    mkdir -p "$(cookie_file bob)" # a folder in the file's place
    SMSP_PASSWORD=pw run --separate-stderr smsp register bob
    [ "$status" -eq 2 ]
    [ -z "$(find "$XDG_STATE_HOME" -type f)" ]
}

# long N: the name of a folder of N bytes in all, below the state folder.
long() {
    local name="$XDG_STATE_HOME"
    while [ $((${#name} + 201)) -lt "$1" ]; do name+=/$(printf 'f%.0s' {1..199}); done
    while [ ${#name} -lt "$1" ]; do name+=/; done
    printf '%s' "$name"
}

@test "commands: names that are too long for a file are reported, and the session is not stored" {
    for length in 4096 4085 4062; do # of the folder; with host and port; with what a temporary file ends in
        XDG_STATE_HOME=$(long $length) SMSP_PASSWORD=pw run --separate-stderr smsp register "user$length"
        echo "$length $status $stderr"
        [ "$status" -eq 2 ]
        [[ "$stderr" == "smsp: cannot store the cookie in "*": File name too long; set XDG_STATE_HOME to a directory that you can write" ]]
        XDG_STATE_HOME=$(long $length) run --separate-stderr smsp count
        expect_run 2 "" "smsp: *"
    done
    start_peer 'read 1; say OK c0\n; eof'
    SMSP_PASSWORD=pw run --separate-stderr smsp login "$(printf '%%%.0s' {1..200})" # %25 each in a file's name
    expect_run 2 "OK c0" "smsp: cannot store the cookie in *: File name too long; *"
    [ ! -e "$XDG_STATE_HOME" ]
}

@test "commands: a port with many zeros works, but is too long for a file name" {
    long=$(printf '0%.0s' {1..250})$port
    SMSP_PASSWORD=pw run --separate-stderr "$smsp" 127.0.0.1 "$long" register alice
    [ "$status" -eq 2 ]
    [[ "$stderr" == "smsp: cannot store the cookie in "*": File name too long; "* ]]
    run --separate-stderr bash -c 'printf "login alice pw\nlogout\n" | "$@"' - "$smsp" 127.0.0.1 "$long"
    [ "$status" -eq 0 ]
}

@test "commands: without HOME, the home directory comes from the user database" {
    [ "$(id -u)" -eq 0 ] || skip "needs root, to be another user"
    folder=$(mktemp -d)
    chmod 755 "$folder"
    cp "$smsp" "$folder/smsp"
    for user in nobody 123456; do
        for home in "" relative; do
            run --separate-stderr setpriv --reuid="$user" --clear-groups env -u XDG_STATE_HOME HOME=$home SMSP_PASSWORD=pw \
                "$folder/smsp" 127.0.0.1 "$port" register "u$user$home"
            echo "$user $home $status $stderr"
            [ "$status" -eq 2 ]
            if [ "$user" = nobody ]; then
                [[ "$stderr" == "smsp: cannot store the cookie in /nonexistent/.local/state/smsp/"*": "*"; set XDG_STATE_HOME to a directory that you can write" ]]
            else
                [ "$stderr" = "smsp: cannot store the cookie: HOME is not set, and user ID 123456 has no home directory; set XDG_STATE_HOME to a directory that you can write" ]
            fi
        done
    done
    rm -r "$folder"
}

@test "commands: a directory or the file of another user is not used as a cookie" {
    register alice
    file=$(cookie_file alice)
    rm "$file"
    mkdir "$file"
    run --separate-stderr smsp count
    [ "${stderr_lines[0]}" = "smsp: $file: not a regular file that only you can read; remove it and log in again" ]
    [ "$(id -u)" -eq 0 ] || return 0
    rmdir "$file"
    give_cookie alice c0
    chown 123456 "$file"
    run --separate-stderr smsp count
    [ "${stderr_lines[0]}" = "smsp: $file: not a regular file that only you can read; remove it and log in again" ]
}

@test "commands: no terminal and no SMSP_PASSWORD: status 2" {
    run --separate-stderr setsid -w "$smsp" 127.0.0.1 "$port" register alice
    expect_run 2 "" "smsp: cannot ask for the password: /dev/tty: No such device or address; set SMSP_PASSWORD"
}

@test "commands: a password in the arguments, or one that cannot be sent, is rejected" {
    run --separate-stderr smsp register alice pw
    expect_run 2 "" "smsp: do not write the password in the command, where others can see it: *"
    for password in "" "a b" $'a\tb'; do
        SMSP_PASSWORD=$password run --separate-stderr smsp register alice
        expect_run 2 "" "smsp: REGISTER was not sent: *"
    done
}

@test "commands: lines in the protocol's syntax are sent unchanged, with \$cookie replaced" {
    run --separate-stderr smsp REGISTER alice pw
    [ "$status" -eq 0 ]
    [ "$(cat "$(cookie_file alice)")" = "${output#OK }" ]
    run --separate-stderr smsp COUNT alice '$cookie'
    expect_run 0 "COUNTED 0" ""
    run --separate-stderr smsp 'MESSAGE my $cookie $cookie'
    expect_run 0 OK ""
    run --separate-stderr smsp STORE alice '$cookie'
    expect_run 0 OK ""
    run --separate-stderr smsp GETMSG alice '$cookie'
    expect_run 0 'my $cookie' ""
    run --separate-stderr smsp DUMPLING
    expect_run 1 KO ""
    run --separate-stderr smsp COUNT alice
    expect_run 1 "You should log in first." ""
    run --separate-stderr smsp LOGOUT '$cookie'
    expect_run 0 OK ""
    [ ! -e "$(cookie_file alice)" ]
    run --separate-stderr smsp COUNT alice '$cookie'
    expect_run 1 "You should log in first." ""
    run --separate-stderr smsp LOGIN alice wrong
    expect_run 1 KO ""
    run --separate-stderr smsp LOGIN alice pw
    [ "$(cat "$(cookie_file alice)")" = "${output#OK }" ]
}

@test "commands: names and cookies of other servers may have other characters" {
    start_peer 'read 1; say OK c.0\n' 'read 1; say OK\n'
    run --separate-stderr smsp REGISTER a-b pw
    expect_run 0 "OK c.0" ""
    [ "$(cat "$(cookie_file a-b)")" = c.0 ]
    run --separate-stderr smsp LOGOUT '$cookie'
    expect_run 0 OK ""
    [ ! -e "$(cookie_file a-b)" ]
    grep -qF "LOGOUT c.0" "$BATS_TEST_TMPDIR/peer.log"
}

@test "commands: --trace shows each line sent and received, without the password" {
    SMSP_PASSWORD=secret run --separate-stderr "$smsp" --trace 127.0.0.1 "$port" register alice
    [ "$status" -eq 0 ]
    [ "$stderr" = "> REGISTER alice ***"$'\n'"< $output" ]
    cookie=${output#OK }
    SMSP_PASSWORD=$(printf '%0200d' 0) run --separate-stderr "$smsp" --trace 127.0.0.1 "$port" register bob
    [ "$stderr" = "> REGISTER bob ***"$'\n'"< KO" ]
    run --separate-stderr "$smsp" --trace 127.0.0.1 "$port" send alice hello
    [ "$output" = OK ]
    [ "$stderr" = "> MESSAGE hello $cookie"$'\n'"> STORE alice $cookie"$'\n'"< OK"$'\n'"< OK" ]
    run --separate-stderr "$smsp" --trace 127.0.0.1 "$port" read
    [ "$output" = hello ]
    [ "$stderr" = "> COUNT alice $cookie"$'\n'"< COUNTED 1"$'\n'"> GETMSG alice $cookie"$'\n'"< hello" ]
}

@test "commands: another user's mailbox can be counted, and read only with --shared-mailboxes" {
    register alice
    register bob
    smsp send alice hello
    run --separate-stderr smsp read alice
    expect_run 1 KO ""
    run --separate-stderr smsp count nobody
    expect_run 1 KO ""
    client_teardown
    start_server --shared-mailboxes
    register alice
    register bob
    smsp send alice hello
    run --separate-stderr smsp read alice
    expect_run 0 hello ""
    run --separate-stderr smsp delete alice
    expect_run 0 OK ""
}

@test "commands: with standard output, error or input closed, no text becomes a request" {
    register alice
    smsp send alice 'REGISTER mallory evil'
    run --separate-stderr bash -c '"$@" >&-' - "$smsp" 127.0.0.1 "$port" read
    expect_run 2 "" "smsp: cannot write the output: Bad file descriptor"
    smsp send alice 'REGISTER mallory evil'
    smsp delete
    run bash -c '"$@" 2>&-' - "$smsp" --trace 127.0.0.1 "$port" read
    [ "$status" -eq 0 ]
    [ "$output" = 'REGISTER mallory evil' ]
    run bash -c '"$@" <&- >&- 2>&-' - "$smsp" --trace 127.0.0.1 "$port" read
    [ "$status" -eq 2 ]
    SMSP_PASSWORD=evil run --separate-stderr smsp login mallory
    expect_run 1 KO ""
    run --separate-stderr bash -c '"$@" <&-' - "$smsp" 127.0.0.1 "$port"
    expect_run 2 "" "smsp: cannot read standard input: Bad file descriptor"
}

@test "commands: a reply that cannot be written is reported with its reason: status 2" {
    SMSP_PASSWORD=pw run --separate-stderr bash -c '"$@" >/dev/full' - "$smsp" 127.0.0.1 "$port" register alice
    expect_run 2 "" "smsp: cannot write the output: No space left on device"
    smsp send alice 'do not lose me'
    SMSP_USER=alice run --separate-stderr bash -c 'printf "read\ndelete\n" | "$@" >/dev/full' - "$smsp" 127.0.0.1 "$port"
    expect_run 2 "" "smsp: cannot write the output: No space left on device"
    run --separate-stderr smsp count # nobody has read it, so it was not deleted
    expect_run 0 "COUNTED 1" ""
}
