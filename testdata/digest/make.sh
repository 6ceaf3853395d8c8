#!/bin/sh
# Makes the digests of this folder with openssl alone, as AWS documents that CloudTrail does.
# Run it in this folder; only when the form of the digests changes. The keys are for tests alone.
set -eu
key=signing-key.der
bucket=trail-bucket
object=AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2026/01/15/111111111111_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260115T

hash() { openssl dgst -sha256 -r "$1" | cut -c1-64; }
sign() { openssl dgst -sha256 -keyform DER -sign "$key" "$1" | od -An -v -tx1 | tr -d ' \n'; }

digest() { # name start end stamp previous-lines log-files
    printf '{"awsAccountId":"111111111111","digestStartTime":"%s","digestEndTime":"%s","digestS3Bucket":"%s","digestS3Object":"%s%sZ.json.gz","digestPublicKeyFingerprint":"0f0e0d0c0b0a09080706050403020100","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,%s,"logFiles":[%s]}' \
        "$2" "$3" "$bucket" "$object" "$4" "$5" "$6" > "$1.json"
}
signed() { # name end stamp previous-signature
    printf '%s\n%s/%s%sZ.json.gz\n%s\n%s' "$2" "$bucket" "$object" "$3" "$(hash "$1.json")" "$4" > "$1.signed.txt"
    sign "$1.signed.txt" > "$1.signature.txt"
}

digest first 2026-01-15T09:01:31Z 2026-01-15T10:01:31Z 100131 \
    '"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null' ''
signed first 2026-01-15T10:01:31Z 100131 null
rm first.signed.txt

previous=$(cat first.signature.txt)
digest digest 2026-01-15T10:01:31Z 2026-01-15T11:01:31Z 110131 \
    "\"previousDigestS3Bucket\":\"$bucket\",\"previousDigestS3Object\":\"${object}100131Z.json.gz\",\"previousDigestHashValue\":\"$(hash first.json)\",\"previousDigestHashAlgorithm\":\"SHA-256\",\"previousDigestSignature\":\"$previous\"" \
    '{"s3Bucket":"trail-bucket","s3Object":"AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01/15/111111111111_CloudTrail_eu-west-1_20260115T1035Z_x.json.gz","hashValue":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","hashAlgorithm":"SHA-256","newestEventTime":"2026-01-15T10:34:00Z","oldestEventTime":"2026-01-15T10:30:00Z"}'
signed digest 2026-01-15T11:01:31Z 110131 "$previous"

keys() { # file base64
    printf '{"PublicKeyList":[{"Value":"%s","ValidityStartTime":"2026-01-01T00:00:00+00:00","ValidityEndTime":"2027-01-01T00:00:00+00:00","Fingerprint":"0f0e0d0c0b0a09080706050403020100"}]}\n' "$2" > "$1"
}
keys public-keys.json "$(openssl rsa -inform DER -in "$key" -RSAPublicKey_out -outform DER 2>/dev/null | base64 | tr -d '\n')"
keys public-keys-wrapped.json "$(openssl rsa -inform DER -in "$key" -pubout -outform DER 2>/dev/null | base64 | tr -d '\n')"
