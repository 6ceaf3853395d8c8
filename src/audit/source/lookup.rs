//! CloudTrail's own event history, asked for by `LookupEvents`: for accounts without a trail, or
//! without access to its bucket.
//!
//! The service gives 50 events at a time, two times a second for each account and region, and
//! remembers 90 days of management events.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aws_config::Region;
use aws_sdk_cloudtrail::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudtrail::operation::lookup_events::{LookupEventsError, LookupEventsOutput};
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::audit::decode::Problem;
use crate::audit::pipeline::Watch;
use crate::audit::stretch::{Stretch, left_open};
use crate::s3;
use crate::window::Window;

/// How far back the service remembers.
pub const MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long an event may take to come into the history. CloudTrail says fifteen minutes at most.
const LATE: SignedDuration = SignedDuration::from_mins(30);

/// The least time from one request to the next, of one account and region.
const PACE: Duration = Duration::from_millis(500);

/// Times a request is tried.
const ATTEMPTS: u32 = 8;

/// The longest that is waited before a request is tried again.
const LONGEST: Duration = Duration::from_secs(30);

/// The regions that every commercial account has. Those that must be switched on are asked when
/// they are named.
pub const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Which regions' history is asked for. Written as what stands behind `lookup:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Regions {
    /// The one that environment or profile names.
    Own,
    /// These; none twice.
    Named(Vec<String>),
}

impl FromStr for Regions {
    type Err = String;

    /// Reads `eu-west-1,us-east-1`, where `all` stands for [`REGIONS`].
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::Own);
        }
        let mut named: Vec<String> = Vec::new();
        for word in text.split(',').map(str::trim) {
            let fits = word.contains('-')
                && word.len() < 32
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            let words = match word {
                "all" => REGIONS.to_vec(),
                word if fits => vec![word],
                _ => return Err(word.to_owned()),
            };
            for word in words {
                if !named.iter().any(|known| known == word) {
                    named.push(word.to_owned());
                }
            }
        }
        Ok(Self::Named(named))
    }
}

impl fmt::Display for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => Ok(()),
            Self::Named(regions) => f.write_str(&regions.join(",")),
        }
    }
}

/// What asking yields.
#[derive(Debug)]
pub enum Found {
    /// Records of a region, one after the other. The first of a region may be none.
    Page {
        /// Where they are from, as `lookup:eu-west-1`.
        location: String,
        /// The records.
        bytes: Vec<u8>,
    },
    /// Something could not be read.
    Problem(Problem),
    /// No credentials are accepted.
    Credentials(Problem),
}

/// One asking.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// How to reach AWS.
    pub options: s3::Options,
    /// The regions.
    pub regions: Regions,
    /// The regions that are wanted at all; every one when empty.
    pub only: Vec<String>,
    /// The window.
    pub window: Window,
    /// The time at which the service is asked.
    pub now: Timestamp,
    /// Who knows what need not be asked for, and learns what was told.
    pub watches: Vec<Arc<dyn Watch>>,
}

impl Lookup {
    /// Asks all regions at once and sends on what they say. Ends early when nobody listens.
    pub async fn run(self, out: mpsc::Sender<Found>) {
        let config = s3::sdk_config(&s3::Options {
            // Tried again here, at the service's pace.
            attempts: Some(1),
            ..self.options.clone()
        })
        .await;
        let mut regions = match (&self.regions, config.region()) {
            (Regions::Named(regions), _) => regions.clone(),
            (Regions::Own, Some(region)) => vec![region.to_string()],
            (Regions::Own, None) => {
                let problem = problem(
                    "lookup:",
                    "no region is set".to_owned(),
                    "set AWS_REGION, or write lookup:REGION,… or lookup:all",
                );
                let _ = out.send(Found::Problem(problem)).await;
                return;
            }
        };
        regions.retain(|region| self.only.is_empty() || self.only.contains(region));
        let Some((since, until)) = self.remembered(&out).await else {
            return;
        };
        let mut asking = tokio::task::JoinSet::new();
        for region in regions {
            let config = aws_sdk_cloudtrail::config::Builder::from(&config)
                .region(Region::new(region.clone()))
                .build();
            let asking_one = Asking {
                client: aws_sdk_cloudtrail::Client::from_conf(config),
                location: self.location(&region),
                settled: self.now.checked_sub(LATE).unwrap_or(Timestamp::MIN),
                watches: self.watches.clone(),
                out: out.clone(),
            };
            asking.spawn(asking_one.ask(Stretch { since, until }));
        }
        while asking.join_next().await.is_some() {}
    }

    /// What a region is called, with its account where a role tells it.
    fn location(&self, region: &str) -> String {
        let role = self.options.assume_role.as_deref().unwrap_or_default();
        match role.split(':').nth(4) {
            Some(account) => format!("lookup:{account}/{region}"),
            None => format!("lookup:{region}"),
        }
    }

    /// The part of the window that the service remembers. Says so when that is not all.
    async fn remembered(&self, out: &mpsc::Sender<Found>) -> Option<(Timestamp, Timestamp)> {
        let oldest = self.now.checked_sub(MEMORY).ok()?;
        let since = self.window.since.unwrap_or(Timestamp::MIN);
        if since >= oldest {
            return Some((since, self.window.until));
        }
        let what = format!(
            "CloudTrail's event history goes back 90 days, to {}; what was before is not there",
            Timestamp::from_second(oldest.as_second()).unwrap_or(oldest)
        );
        let remedy = "read the trail's bucket for it: --trail s3://BUCKET";
        let _ = out
            .send(Found::Problem(problem("lookup:", what, remedy)))
            .await;
        (self.window.until > oldest).then_some((oldest, self.window.until))
    }
}

/// The asking of one region.
struct Asking {
    client: aws_sdk_cloudtrail::Client,
    location: String,
    /// What happened before then has come into the history by now.
    settled: Timestamp,
    watches: Vec<Arc<dyn Watch>>,
    out: mpsc::Sender<Found>,
}

impl Asking {
    /// Asks for all of a stretch that is not known, the earliest part first: what is complete
    /// then reaches as far as can be, wherever it ends.
    async fn ask(self, whole: Stretch) {
        let known: Vec<Stretch> = self
            .watches
            .iter()
            .flat_map(|watch| watch.known(&self.location))
            .collect();
        let mut next = Instant::now();
        let mut first = true;
        for open in left_open(whole, &known) {
            if !self.stretch(open, &mut next, &mut first).await {
                return;
            }
        }
    }

    /// Asks for a stretch page by page. The service tells the latest first. False when there is no
    /// sense in going on.
    async fn stretch(&self, open: Stretch, next: &mut Instant, first: &mut bool) -> bool {
        let mut token = None;
        let mut rest = open.until;
        loop {
            let page = match one(&self.client, open, token.take(), next).await {
                Ok(page) => page,
                Err(error) => {
                    self.told(rest, open.until);
                    let _ = self.out.send(refused(&self.location, &error, *first)).await;
                    return false;
                }
            };
            token = page.next_token.filter(|token| !token.is_empty());
            let mut bytes = Vec::new();
            for event in page.events.unwrap_or_default() {
                let time = event.event_time.map(|time| time.secs());
                // Others of the same second may stand on the next page.
                let behind = time.and_then(|second| Timestamp::from_second(second + 1).ok());
                rest = rest.min(behind.unwrap_or(rest));
                bytes.extend_from_slice(event.cloud_trail_event.unwrap_or_default().as_bytes());
                bytes.push(b'\n');
            }
            if *first && bytes.is_empty() {
                bytes.extend_from_slice(b"{\"Records\":[]}\n");
            }
            *first = false;
            let location = self.location.clone();
            let found = Found::Page { location, bytes };
            let empty = matches!(&found, Found::Page { bytes, .. } if bytes.is_empty());
            if !empty && self.out.send(found).await.is_err() {
                return false;
            }
            if token.is_none() {
                self.told(open.since, open.until);
                return true;
            }
        }
    }

    fn told(&self, since: Timestamp, until: Timestamp) {
        let until = until.min(self.settled);
        for watch in &self.watches {
            watch.told(&self.location, Stretch { since, until });
        }
    }
}

/// Asks for one page at the service's pace, again and ever later when it is asked to slow down.
async fn one(
    client: &aws_sdk_cloudtrail::Client,
    Stretch { since, until }: Stretch,
    token: Option<String>,
    next: &mut Instant,
) -> Result<LookupEventsOutput, SdkError<LookupEventsError>> {
    let writes = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ReadOnly)
        .attribute_value("false")
        .build()
        .map_err(SdkError::construction_failure)?;
    let mut attempt = 1;
    loop {
        tokio::time::sleep_until(*next).await;
        *next = Instant::now() + PACE;
        let answer = client
            .lookup_events()
            .lookup_attributes(writes.clone())
            .start_time(DateTime::from_secs(since.as_second()))
            .end_time(DateTime::from_secs(until.as_second()))
            .max_results(50)
            .set_next_token(token.clone())
            .send()
            .await;
        match answer {
            Err(error) if attempt < ATTEMPTS && is_passing(&error) => {
                *next += backoff(attempt);
                attempt += 1;
            }
            other => return other,
        }
    }
}

/// How long to wait behind a failed try: twice as long each time, and a little at random so that
/// regions do not come back all at once.
fn backoff(attempt: u32) -> Duration {
    let whole = PACE.saturating_mul(1 << attempt.min(8)).min(LONGEST);
    let noise = std::collections::hash_map::RandomState::new();
    let noise = std::hash::BuildHasher::hash_one(&noise, attempt) % 1_000;
    let share = u32::try_from(noise).unwrap_or_default();
    whole / 2 + whole.saturating_mul(share) / 2_000
}

/// Whether trying again may help.
fn is_passing(error: &SdkError<LookupEventsError>) -> bool {
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout() || failure.is_io(),
        _ => {
            matches!(
                error.code(),
                Some(
                    "ThrottlingException"
                        | "Throttling"
                        | "TooManyRequestsException"
                        | "RequestLimitExceeded"
                )
            ) || status.is_some_and(|status| status == 429 || status >= 500)
        }
    }
}

fn refused(location: &str, error: &SdkError<LookupEventsError>, first: bool) -> Found {
    let code = error.code().unwrap_or_default();
    let said = match error.message() {
        Some(message) if !code.is_empty() => format!("{code}: {message}"),
        _ => DisplayErrorContext(error).to_string(),
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
    let so_far = if first {
        ""
    } else {
        "; what came before was read"
    };
    let told = |remedy| {
        problem(
            location,
            format!("the event history cannot be read ({said}){so_far}"),
            remedy,
        )
    };
    match code {
        "AccessDenied" | "AccessDeniedException" => {
            Found::Problem(told("allow cloudtrail:LookupEvents on *"))
        }
        // Also what a region says that the account has not switched on.
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException" => {
            Found::Credentials(told(
                "check the credentials (AWS_PROFILE), and that the account uses this region",
            ))
        }
        "ExpiredToken" | "ExpiredTokenException" => Found::Credentials(told("sign in again")),
        _ if said.contains("credentials") => Found::Credentials(told(
            "set AWS_PROFILE, or run `aws sso login`, or give the job a role",
        )),
        _ => Found::Problem(told("try again; the service's answer above says more")),
    }
}

fn problem(location: &str, problem: String, remedy: &str) -> Problem {
    Problem {
        location: location.to_owned(),
        place: None,
        problem,
        remedy: Some(remedy.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_named_each_once_and_all_stands_for_those_of_every_account() {
        let named = |text: &str| match text.parse() {
            Ok(Regions::Named(regions)) => regions,
            other => panic!("{other:?}"),
        };
        assert_eq!("".parse(), Ok(Regions::Own));
        assert_eq!(
            named("eu-west-1,us-east-1,eu-west-1"),
            ["eu-west-1", "us-east-1"]
        );
        assert_eq!(named("af-south-1,all").len(), 18);
        for text in ["everywhere", "eu-west-1,", "EU-WEST-1", "a b"] {
            assert!(text.parse::<Regions>().is_err(), "{text}");
        }
    }

    #[test]
    fn waiting_grows_and_has_an_end() {
        for attempt in 1..40 {
            let wait = backoff(attempt);
            assert!(wait >= PACE && wait <= LONGEST, "{attempt}: {wait:?}");
        }
        assert!(backoff(7) > backoff(1));
    }
}
