
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'tfdrift' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'tfdrift'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'tfdrift' {
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('scan', 'scan', [CompletionResultType]::ParameterValue, 'What drifted in a window of time')
            [CompletionResult]::new('blame', 'blame', [CompletionResultType]::ParameterValue, 'Who did what to one resource, call by call')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Whether log files are complete and untouched')
            [CompletionResult]::new('coverage', 'coverage', [CompletionResultType]::ParameterValue, 'What of a state can be watched, and what is known of a call')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Three scenarios on built-in data; needs no AWS and no files')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            break
        }
        'tfdrift;scan' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated')
            [CompletionResult]::new('--state-as-of', '--state-as-of', [CompletionResultType]::ParameterName, 'Take the states as they were then: `since` (when the window began), `now` or a time')
            [CompletionResult]::new('--state-passphrase-env', '--state-passphrase-env', [CompletionResultType]::ParameterName, 'The environment variable with the passphrase of states that OpenTofu encrypted')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can be repeated')
            [CompletionResult]::new('--public-keys', '--public-keys', [CompletionResultType]::ParameterName, 'For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated')
            [CompletionResult]::new('--assume-role', '--assume-role', [CompletionResultType]::ParameterName, 'Take on this role to read from AWS')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Look at calls from then on [default: 1h]')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Look at calls before then [default: now]')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Remember in this file or s3:// object what was read and told, and go on from there')
            [CompletionResult]::new('--late', '--late', [CompletionResultType]::ParameterName, 'With --checkpoint: read log files that come up to so late, as 12h or 7d [default: 24h]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'A report, and the file it goes to; can be repeated [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'A report, and the file it goes to; can be repeated [default: table]')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Also list what is hidden by default; can be repeated')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Kinds of drift that end in exit code 2 [default: modified,deleted]')
            [CompletionResult]::new('--min-severity', '--min-severity', [CompletionResultType]::ParameterName, 'The least severity that ends in exit code 2: low, medium, high or critical [default: low]')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Only this account, by its twelve digits; can be repeated')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Only this region; can be repeated')
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'Only resources whose address fits; can be repeated')
            [CompletionResult]::new('--iac-principal', '--iac-principal', [CompletionResultType]::ParameterName, 'Who may apply Terraform: an ARN, role, user or person; can be repeated')
            [CompletionResult]::new('--catalogue', '--catalogue', [CompletionResultType]::ParameterName, 'More rules about what a call changes; can be repeated')
            [CompletionResult]::new('--config-dir', '--config-dir', [CompletionResultType]::ParameterName, 'The folder with the Terraform code of the states')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The configuration file [default: ./tfdrift.toml, if there is one]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'How much memory log files in flight may take, as 512MiB or 2G')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many threads decode [default: one per core]')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'Stop reading after so long, as 90s or 30m, and report what was read')
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Also prove by CloudTrail''s digests that log files are complete and untouched')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Address buckets by path instead of by host name, as S3-compatible stores may need')
            [CompletionResult]::new('--requester-pays', '--requester-pays', [CompletionResultType]::ParameterName, 'Agree to pay for requests to buckets whose owner asks that')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'With --checkpoint: tell every drift that is open, not only what is new or changed')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Print sensitive values in clear')
            [CompletionResult]::new('--report-only', '--report-only', [CompletionResultType]::ParameterName, 'Drift never ends in exit code 2')
            [CompletionResult]::new('--allow-incomplete', '--allow-incomplete', [CompletionResultType]::ParameterName, 'Incomplete evidence never ends in exit code 3')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tfdrift;blame' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated')
            [CompletionResult]::new('--state-as-of', '--state-as-of', [CompletionResultType]::ParameterName, 'Take the states as they were then: `since` (when the window began), `now` or a time')
            [CompletionResult]::new('--state-passphrase-env', '--state-passphrase-env', [CompletionResultType]::ParameterName, 'The environment variable with the passphrase of states that OpenTofu encrypted')
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can be repeated')
            [CompletionResult]::new('--public-keys', '--public-keys', [CompletionResultType]::ParameterName, 'For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated')
            [CompletionResult]::new('--assume-role', '--assume-role', [CompletionResultType]::ParameterName, 'Take on this role to read from AWS')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Tell of calls from then on [default: 7d, or 7 days before --at]')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Tell of calls before then [default: now]')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Tell what the attributes were then, as far as the evidence shows')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'A report, and the file it goes to; can be repeated [default: table]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'A report, and the file it goes to; can be repeated [default: table]')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Also list what is hidden by default; can be repeated')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Only this account, by its twelve digits; can be repeated')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Only this region; can be repeated')
            [CompletionResult]::new('--iac-principal', '--iac-principal', [CompletionResultType]::ParameterName, 'Who may apply Terraform: an ARN, role, user or person; can be repeated')
            [CompletionResult]::new('--catalogue', '--catalogue', [CompletionResultType]::ParameterName, 'More rules about what a call changes; can be repeated')
            [CompletionResult]::new('--config-dir', '--config-dir', [CompletionResultType]::ParameterName, 'The folder with the Terraform code of the states')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The configuration file [default: ./tfdrift.toml, if there is one]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'How much memory log files in flight may take, as 512MiB or 2G')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many threads decode [default: one per core]')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'Stop reading after so long, as 90s or 30m, and report what was read')
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Also prove by CloudTrail''s digests that log files are complete and untouched')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Address buckets by path instead of by host name, as S3-compatible stores may need')
            [CompletionResult]::new('--requester-pays', '--requester-pays', [CompletionResultType]::ParameterName, 'Agree to pay for requests to buckets whose owner asks that')
            [CompletionResult]::new('--reveal', '--reveal', [CompletionResultType]::ParameterName, 'Print sensitive values in clear')
            [CompletionResult]::new('--allow-incomplete', '--allow-incomplete', [CompletionResultType]::ParameterName, 'Incomplete evidence never ends in exit code 3')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tfdrift;verify' {
            [CompletionResult]::new('--trail', '--trail', [CompletionResultType]::ParameterName, 'CloudTrail logs: the folder or `s3://bucket/prefix` that holds `AWSLogs/`; can be repeated')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Look at calls from then on, as for `tfdrift scan`')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Look at calls before then')
            [CompletionResult]::new('--account', '--account', [CompletionResultType]::ParameterName, 'Only this account, by its twelve digits; can be repeated')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Only this region; can be repeated')
            [CompletionResult]::new('--public-keys', '--public-keys', [CompletionResultType]::ParameterName, 'Keys as `aws cloudtrail list-public-keys` prints them, instead of asking CloudTrail; can be repeated')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'A report, and the file it goes to: console or json; can be repeated [default: console]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'A report, and the file it goes to: console or json; can be repeated [default: console]')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'Stop after so long, as 90s or 30m, and report what was verified until then')
            [CompletionResult]::new('--assume-role', '--assume-role', [CompletionResultType]::ParameterName, 'Take on this role to read from AWS')
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Address buckets by path instead of by host name, as S3-compatible stores may need')
            [CompletionResult]::new('--requester-pays', '--requester-pays', [CompletionResultType]::ParameterName, 'Agree to pay for requests to buckets whose owner asks that')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tfdrift;coverage' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://, azurerm://, https:// or tfcloud://; can be repeated')
            [CompletionResult]::new('--state-passphrase-env', '--state-passphrase-env', [CompletionResultType]::ParameterName, 'The environment variable with the passphrase of states that OpenTofu encrypted')
            [CompletionResult]::new('--catalogue', '--catalogue', [CompletionResultType]::ParameterName, 'More rules about what a call changes; can be repeated')
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('--catalogue-only', '--catalogue-only', [CompletionResultType]::ParameterName, 'Look for no state: only tell how much of AWS''s provider the rules cover')
            [CompletionResult]::new('--path-style', '--path-style', [CompletionResultType]::ParameterName, 'Address buckets by path instead of by host name, as S3-compatible stores may need')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write one JSON object')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tfdrift;demo' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'A report, and the file it goes to; can be repeated [default: console]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'A report, and the file it goes to; can be repeated [default: console]')
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tfdrift;completions' {
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tfdrift;man' {
            [CompletionResult]::new('--colour', '--colour', [CompletionResultType]::ParameterName, 'When to use colour. A pipe, CI and `NO_COLOR` turn it off')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the report: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more about what is read; twice for each file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
