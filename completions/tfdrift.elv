
use builtin;
use str;

set edit:completion:arg-completer[tfdrift] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'tfdrift'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'tfdrift'= {
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand scan 'What drifted in a window of time'
            cand blame 'Who did what to one resource, call by call'
            cand verify 'Whether log files are complete and untouched'
            cand coverage 'What of a state can be watched, and what is known of a call'
            cand demo 'Three scenarios on built-in data; needs no AWS and no files'
            cand completions 'Print the completions of a shell'
            cand man 'Print the manual page'
        }
        &'tfdrift;scan'= {
            cand --state 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated'
            cand --state-as-of 'Take the states as they were then: `since` (when the window began), `now` or a time'
            cand --state-passphrase-env 'The environment variable with the passphrase of states that OpenTofu encrypted'
            cand --trail 'CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can be repeated'
            cand --public-keys 'For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated'
            cand --assume-role 'Take on this role to read from AWS'
            cand --since 'Look at calls from then on [default: 1h]'
            cand --until 'Look at calls before then [default: now]'
            cand --checkpoint 'Remember in this file or s3:// object what was read and told, and go on from there'
            cand --late 'With --checkpoint: read log files that come up to so late, as 12h or 7d [default: 24h]'
            cand -o 'A report, and the file it goes to; can be repeated [default: table]'
            cand --output 'A report, and the file it goes to; can be repeated [default: table]'
            cand --show 'Also list what is hidden by default; can be repeated'
            cand --fail-on 'Kinds of drift that end in exit code 2 [default: modified,deleted]'
            cand --min-severity 'The least severity that ends in exit code 2: low, medium, high or critical [default: low]'
            cand --account 'Only this account, by its twelve digits; can be repeated'
            cand --region 'Only this region; can be repeated'
            cand --address 'Only resources whose address fits; can be repeated'
            cand --iac-principal 'Who may apply Terraform: an ARN, role, user or person; can be repeated'
            cand --catalogue 'More rules about what a call changes; can be repeated'
            cand --config-dir 'The folder with the Terraform code of the states'
            cand --config 'The configuration file [default: ./tfdrift.toml, if there is one]'
            cand --memory 'How much memory log files in flight may take, as 512MiB or 2G'
            cand --threads 'How many threads decode [default: one per core]'
            cand --time-limit 'Stop reading after so long, as 90s or 30m, and report what was read'
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand --verify 'Also prove by CloudTrail''s digests that log files are complete and untouched'
            cand --path-style 'Address buckets by path instead of by host name, as S3-compatible stores may need'
            cand --requester-pays 'Agree to pay for requests to buckets whose owner asks that'
            cand --repeat 'With --checkpoint: tell every drift that is open, not only what is new or changed'
            cand --reveal 'Print sensitive values in clear'
            cand --report-only 'Drift never ends in exit code 2'
            cand --allow-incomplete 'Incomplete evidence never ends in exit code 3'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tfdrift;blame'= {
            cand --state 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated'
            cand --state-as-of 'Take the states as they were then: `since` (when the window began), `now` or a time'
            cand --state-passphrase-env 'The environment variable with the passphrase of states that OpenTofu encrypted'
            cand --trail 'CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can be repeated'
            cand --public-keys 'For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated'
            cand --assume-role 'Take on this role to read from AWS'
            cand --since 'Tell of calls from then on [default: 7d, or 7 days before --at]'
            cand --until 'Tell of calls before then [default: now]'
            cand --at 'Tell what the attributes were then, as far as the evidence shows'
            cand -o 'A report, and the file it goes to; can be repeated [default: table]'
            cand --output 'A report, and the file it goes to; can be repeated [default: table]'
            cand --show 'Also list what is hidden by default; can be repeated'
            cand --account 'Only this account, by its twelve digits; can be repeated'
            cand --region 'Only this region; can be repeated'
            cand --iac-principal 'Who may apply Terraform: an ARN, role, user or person; can be repeated'
            cand --catalogue 'More rules about what a call changes; can be repeated'
            cand --config-dir 'The folder with the Terraform code of the states'
            cand --config 'The configuration file [default: ./tfdrift.toml, if there is one]'
            cand --memory 'How much memory log files in flight may take, as 512MiB or 2G'
            cand --threads 'How many threads decode [default: one per core]'
            cand --time-limit 'Stop reading after so long, as 90s or 30m, and report what was read'
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand --verify 'Also prove by CloudTrail''s digests that log files are complete and untouched'
            cand --path-style 'Address buckets by path instead of by host name, as S3-compatible stores may need'
            cand --requester-pays 'Agree to pay for requests to buckets whose owner asks that'
            cand --reveal 'Print sensitive values in clear'
            cand --allow-incomplete 'Incomplete evidence never ends in exit code 3'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tfdrift;verify'= {
            cand --trail 'CloudTrail logs: the folder or `s3://bucket/prefix` that holds `AWSLogs/`; can be repeated'
            cand --since 'Look at calls from then on, as for `tfdrift scan`'
            cand --until 'Look at calls before then'
            cand --account 'Only this account, by its twelve digits; can be repeated'
            cand --region 'Only this region; can be repeated'
            cand --public-keys 'Keys as `aws cloudtrail list-public-keys` prints them, instead of asking CloudTrail; can be repeated'
            cand -o 'A report, and the file it goes to: console or json; can be repeated [default: console]'
            cand --output 'A report, and the file it goes to: console or json; can be repeated [default: console]'
            cand --time-limit 'Stop after so long, as 90s or 30m, and report what was verified until then'
            cand --assume-role 'Take on this role to read from AWS'
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand --path-style 'Address buckets by path instead of by host name, as S3-compatible stores may need'
            cand --requester-pays 'Agree to pay for requests to buckets whose owner asks that'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tfdrift;coverage'= {
            cand --state 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated'
            cand --state-passphrase-env 'The environment variable with the passphrase of states that OpenTofu encrypted'
            cand --catalogue 'More rules about what a call changes; can be repeated'
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand --catalogue-only 'Look for no state: only tell how much of AWS''s provider the rules cover'
            cand --path-style 'Address buckets by path instead of by host name, as S3-compatible stores may need'
            cand --json 'Write one JSON object'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tfdrift;demo'= {
            cand -o 'A report, and the file it goes to; can be repeated [default: console]'
            cand --output 'A report, and the file it goes to; can be repeated [default: console]'
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tfdrift;completions'= {
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tfdrift;man'= {
            cand --colour 'When to use colour. A pipe, CI and `NO_COLOR` turn it off'
            cand -q 'Say nothing but the report: no progress, no notes'
            cand --quiet 'Say nothing but the report: no progress, no notes'
            cand -v 'Say more about what is read; twice for each file'
            cand --verbose 'Say more about what is read; twice for each file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}
