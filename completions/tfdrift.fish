# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tfdrift_global_optspecs
    string join \n colour= q/quiet v/verbose h/help V/version
end

function __fish_tfdrift_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tfdrift_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tfdrift_using_subcommand
    set -l cmd (__fish_tfdrift_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tfdrift -n "__fish_tfdrift_needs_command" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_needs_command" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -s V -l version -d 'Print version'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "scan" -d 'What drifted in a window of time'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "blame" -d 'Who did what to one resource, call by call'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "verify" -d 'Whether log files are complete and untouched'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "coverage" -d 'What of a state can be watched, and what is known of a call'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "demo" -d 'Three scenarios on built-in data; needs no AWS and no files'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "completions" -d 'Print the completions of a shell'
complete -c tfdrift -n "__fish_tfdrift_needs_command" -f -a "man" -d 'Print the manual page'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l state -d 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l state-as-of -d 'Take the states as they were then: `since` (when the window began), `now` or a time' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l state-passphrase-env -d 'The environment variable with the passphrase of states that OpenTofu encrypted' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l trail -d 'CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l public-keys -d 'For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l assume-role -d 'Take on this role to read from AWS' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l since -d 'Look at calls from then on [default: 1h]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l until -d 'Look at calls before then [default: now]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l checkpoint -d 'Remember in this file or s3:// object what was read and told, and go on from there' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l late -d 'With --checkpoint: read log files that come up to so late, as 12h or 7d [default: 24h]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -s o -l output -d 'A report, and the file it goes to; can be repeated [default: table]' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l show -d 'Also list what is hidden by default; can be repeated' -r -f -a "resolved\t'What was put back within the window'
suppressed\t'What an ignore rule hides'
iac\t'What Terraform itself did'
failed\t'Calls on managed resources that AWS refused'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l fail-on -d 'Kinds of drift that end in exit code 2 [default: modified,deleted]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l min-severity -d 'The least severity that ends in exit code 2: low, medium, high or critical [default: low]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l account -d 'Only this account, by its twelve digits; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l region -d 'Only this region; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l address -d 'Only resources whose address fits; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l iac-principal -d 'Who may apply Terraform: an ARN, role, user or person; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l catalogue -d 'More rules about what a call changes; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l config-dir -d 'The folder with the Terraform code of the states' -r -f -a "(__fish_complete_directories)"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l config -d 'The configuration file [default: ./tfdrift.toml, if there is one]' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l memory -d 'How much memory log files in flight may take, as 512MiB or 2G' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l threads -d 'How many threads decode [default: one per core]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l time-limit -d 'Stop reading after so long, as 90s or 30m, and report what was read' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l verify -d 'Also prove by CloudTrail\'s digests that log files are complete and untouched'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l path-style -d 'Address buckets by path instead of by host name, as S3-compatible stores may need'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l requester-pays -d 'Agree to pay for requests to buckets whose owner asks that'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l repeat -d 'With --checkpoint: tell every drift that is open, not only what is new or changed'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l reveal -d 'Print sensitive values in clear'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l report-only -d 'Drift never ends in exit code 2'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -l allow-incomplete -d 'Incomplete evidence never ends in exit code 3'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand scan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l state -d 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l state-as-of -d 'Take the states as they were then: `since` (when the window began), `now` or a time' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l state-passphrase-env -d 'The environment variable with the passphrase of states that OpenTofu encrypted' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l trail -d 'CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l public-keys -d 'For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l assume-role -d 'Take on this role to read from AWS' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l since -d 'Tell of calls from then on [default: 7d, or 7 days before --at]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l until -d 'Tell of calls before then [default: now]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l at -d 'Tell what the attributes were then, as far as the evidence shows' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -s o -l output -d 'A report, and the file it goes to; can be repeated [default: table]' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l show -d 'Also list what is hidden by default; can be repeated' -r -f -a "failed\t'Calls that AWS refused'
operations\t'Calls that only use the resource and change nothing that Terraform holds'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l account -d 'Only this account, by its twelve digits; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l region -d 'Only this region; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l iac-principal -d 'Who may apply Terraform: an ARN, role, user or person; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l catalogue -d 'More rules about what a call changes; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l config-dir -d 'The folder with the Terraform code of the states' -r -f -a "(__fish_complete_directories)"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l config -d 'The configuration file [default: ./tfdrift.toml, if there is one]' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l memory -d 'How much memory log files in flight may take, as 512MiB or 2G' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l threads -d 'How many threads decode [default: one per core]' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l time-limit -d 'Stop reading after so long, as 90s or 30m, and report what was read' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l verify -d 'Also prove by CloudTrail\'s digests that log files are complete and untouched'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l path-style -d 'Address buckets by path instead of by host name, as S3-compatible stores may need'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l requester-pays -d 'Agree to pay for requests to buckets whose owner asks that'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l reveal -d 'Print sensitive values in clear'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -l allow-incomplete -d 'Incomplete evidence never ends in exit code 3'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand blame" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l trail -d 'CloudTrail logs: the folder or `s3://bucket/prefix` that holds `AWSLogs/`; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l since -d 'Look at calls from then on, as for `tfdrift scan`' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l until -d 'Look at calls before then' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l account -d 'Only this account, by its twelve digits; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l region -d 'Only this region; can be repeated' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l public-keys -d 'Keys as `aws cloudtrail list-public-keys` prints them, instead of asking CloudTrail; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -s o -l output -d 'A report, and the file it goes to: console or json; can be repeated [default: console]' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l time-limit -d 'Stop after so long, as 90s or 30m, and report what was verified until then' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l assume-role -d 'Take on this role to read from AWS' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l path-style -d 'Address buckets by path instead of by host name, as S3-compatible stores may need'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -l requester-pays -d 'Agree to pay for requests to buckets whose owner asks that'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l state -d 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l state-passphrase-env -d 'The environment variable with the passphrase of states that OpenTofu encrypted' -r
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l catalogue -d 'More rules about what a call changes; can be repeated' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l catalogue-only -d 'Look for no state: only tell how much of AWS\'s provider the rules cover'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l path-style -d 'Address buckets by path instead of by host name, as S3-compatible stores may need'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -l json -d 'Write one JSON object'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand coverage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand demo" -s o -l output -d 'A report, and the file it goes to; can be repeated [default: console]' -r -F
complete -c tfdrift -n "__fish_tfdrift_using_subcommand demo" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand demo" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand demo" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand completions" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand completions" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand completions" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand man" -l colour -d 'When to use colour. A pipe, CI and `NO_COLOR` turn it off' -r -f -a "auto\t'If it is a terminal that can'
always\t'Whatever it is'
never\t'Never'"
complete -c tfdrift -n "__fish_tfdrift_using_subcommand man" -s q -l quiet -d 'Say nothing but the report: no progress, no notes'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand man" -s v -l verbose -d 'Say more about what is read; twice for each file'
complete -c tfdrift -n "__fish_tfdrift_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
