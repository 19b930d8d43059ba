//! Candidates against a server that is slow, loses questions and answers, and clocks that differ.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

/// Simulated milliseconds in one step.
const TICK: u64 = 50;

/// The server: one lease, written under its version.
#[derive(Default)]
struct Server {
    lease: Option<Lease>,
    writes: u64,
}

impl Server {
    fn claim(&mut self, holder: &str, version: Option<&String>) -> Result<Lease, ()> {
        if self.lease.as_ref().map(|lease| &lease.version) != version {
            return Err(());
        }
        self.writes += 1;
        let lease = Lease {
            version: self.writes.to_string(),
            holder: holder.to_owned(),
        };
        self.lease = Some(lease.clone());
        Ok(lease)
    }
}

/// A question on its way there, or its answer on its way back.
enum Post {
    Question {
        arrives: u64,
        name: String,
        step: Step,
    },
    Read {
        arrives: u64,
        answer: Result<Option<Lease>, ()>,
    },
    Written {
        arrives: u64,
        answer: Result<Lease, ()>,
    },
}

struct Candidate {
    election: Election,
    /// Its clock: so far off, and so many thousandths as fast.
    offset: u64,
    pace: u64,
    post: Vec<Post>,
    /// Seconds of a pause in which it does nothing, as a stopped machine.
    asleep_until: u64,
    lives: u32,
}

impl Candidate {
    fn new(number: usize, rng: &mut StdRng) -> Self {
        Self {
            election: Election::new(format!("{number}-0"), Timing::default()),
            offset: rng.random_range(0..1_000_000),
            pace: rng.random_range(900..1100),
            post: Vec::new(),
            asleep_until: 0,
            lives: 0,
        }
    }

    fn clock(&self, at: u64) -> Duration {
        Duration::from_millis(self.offset + at * self.pace / 1000)
    }

    fn leads(&self, at: u64) -> bool {
        self.election.leads(self.clock(at))
    }
}

/// How bad the world is, in thousandths.
#[derive(Debug, Clone, Copy)]
struct Weather {
    lost: u32,
    killed: u32,
    paused: u32,
    delay_ms_max: u64,
}

struct World {
    server: Server,
    candidates: Vec<Candidate>,
    rng: StdRng,
    at: u64,
}

impl World {
    fn new(seed: u64, candidates: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Self {
            server: Server::default(),
            candidates: (0..candidates)
                .map(|n| Candidate::new(n, &mut rng))
                .collect(),
            rng,
            at: 0,
        }
    }

    fn leaders(&self) -> usize {
        let leading = self.candidates.iter().filter(|c| c.leads(self.at));
        leading.count()
    }

    fn tick(&mut self, weather: Weather) {
        self.at += TICK;
        for number in 0..self.candidates.len() {
            if self.rng.random_ratio(weather.killed, 100_000) {
                let candidate = &mut self.candidates[number];
                candidate.lives += 1;
                let name = format!("{number}-{}", candidate.lives);
                candidate.election = Election::new(name, Timing::default());
                // What it had sent arrives all the same; no answer finds it.
                candidate
                    .post
                    .retain(|post| matches!(post, Post::Question { .. }));
            }
            if self.rng.random_ratio(weather.paused, 100_000) {
                self.candidates[number].asleep_until = self.at + self.rng.random_range(0..40_000);
            }
            self.deliver(number, weather);
            if self.at < self.candidates[number].asleep_until {
                continue;
            }
            self.act(number, weather);
        }
    }

    /// Lets questions reach the server and answers their candidate.
    fn deliver(&mut self, number: usize, weather: Weather) {
        let at = self.at;
        let asleep = at < self.candidates[number].asleep_until;
        let post = std::mem::take(&mut self.candidates[number].post);
        for letter in post {
            match letter {
                Post::Question {
                    arrives,
                    name,
                    step,
                } if arrives <= at => {
                    let back = at + self.rng.random_range(0..=weather.delay_ms_max);
                    let lost = self.rng.random_ratio(weather.lost, 1000);
                    let arrives = if lost { at + 3_000 } else { back };
                    let answer = match step {
                        Step::Read => Post::Read {
                            arrives,
                            answer: if lost {
                                Err(())
                            } else {
                                Ok(self.server.lease.clone())
                            },
                        },
                        Step::Claim(version) => {
                            let answer = self.server.claim(&name, version.as_ref());
                            Post::Written {
                                arrives,
                                answer: if lost { Err(()) } else { answer },
                            }
                        }
                        other => panic!("{other:?} is no question"),
                    };
                    let candidate = &mut self.candidates[number];
                    // Who asked may be gone by now.
                    if name == candidate.election.name {
                        candidate.post.push(answer);
                    }
                }
                Post::Read { arrives, answer } if arrives <= at && !asleep => {
                    let candidate = &mut self.candidates[number];
                    let now = candidate.clock(at);
                    candidate.election.read(now, answer);
                }
                Post::Written { arrives, answer } if arrives <= at && !asleep => {
                    let candidate = &mut self.candidates[number];
                    let now = candidate.clock(at);
                    candidate.election.written(now, answer);
                }
                waiting => self.candidates[number].post.push(waiting),
            }
        }
    }

    fn act(&mut self, number: usize, weather: Weather) {
        let at = self.at;
        let candidate = &mut self.candidates[number];
        match candidate.election.step(candidate.clock(at)) {
            Step::Wait(_) => {}
            Step::Lost => {
                // The program ends, and is started again under another name.
                candidate.lives += 1;
                let name = format!("{number}-{}", candidate.lives);
                candidate.election = Election::new(name, Timing::default());
                candidate
                    .post
                    .retain(|post| matches!(post, Post::Question { .. }));
            }
            step => {
                let lost = self.rng.random_ratio(weather.lost, 1000);
                let delay = self.rng.random_range(0..=weather.delay_ms_max);
                let reads = step == Step::Read;
                let name = candidate.election.name.clone();
                let arrives = at + if lost { 3_000 } else { delay };
                // A lost question never arrives; its candidate gives up after a while.
                candidate.post.push(match (lost, reads) {
                    (false, _) => Post::Question {
                        arrives,
                        name,
                        step,
                    },
                    (true, true) => Post::Read {
                        arrives,
                        answer: Err(()),
                    },
                    (true, false) => Post::Written {
                        arrives,
                        answer: Err(()),
                    },
                });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is lost, late, killed or paused, and however the clocks differ: never two at once. And once the
    /// weather is fair, soon one.
    #[test]
    fn never_two_lead_and_soon_one_does(
        seed in any::<u64>(), candidates in 2..4_usize, lost in 0..400_u32, killed in 0..200_u32,
        paused in 0..200_u32, delay_ms_max in 0..6_000_u64,
    ) {
        let mut world = World::new(seed, candidates);
        let weather = Weather { lost, killed, paused, delay_ms_max };
        let mut led = 0;
        for _ in 0..6_000 {
            world.tick(weather);
            let leaders = world.leaders();
            prop_assert!(leaders <= 1, "{leaders} lead at {} ms", world.at);
            led += leaders;
        }
        let fair = Weather { lost: 0, killed: 0, paused: 0, delay_ms_max: 100 };
        // Pauses and questions from before end; then the lease runs out once, on the slowest clock.
        let mut waited = 0;
        while world.leaders() == 0 {
            world.tick(fair);
            waited += TICK;
            prop_assert!(waited < 70_000, "nobody leads; {led} of 6000 moments had a leader");
        }
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn lease(version: &str, holder: &str) -> Lease {
    Lease {
        version: version.to_owned(),
        holder: holder.to_owned(),
    }
}

#[test]
fn a_free_lease_is_taken_at_once_and_renewed() {
    let mut election = Election::new("a".to_owned(), Timing::default());
    assert_eq!(election.step(at(0)), Step::Read);
    election.read(at(0), Ok(None));
    assert_eq!(election.step(at(0)), Step::Claim(None));
    election.written(at(1), Ok(lease("1", "a")));
    assert!(election.leads(at(9)));
    assert!(
        !election.leads(at(10)),
        "counted from before the claim was sent"
    );
    assert_eq!(election.step(at(1)), Step::Wait(at(2)));
    assert_eq!(election.step(at(3)), Step::Claim(Some("1".to_owned())));
    assert_eq!(election.step(at(12)), Step::Lost);
}

#[test]
fn a_held_lease_is_taken_only_after_it_was_seen_unchanged_for_its_time() {
    let mut election = Election::new("b".to_owned(), Timing::default());
    let mut read = |now: u64, version: &str, holder: &str| {
        assert_eq!(election.step(at(now)), Step::Read, "at {now}");
        election.read(at(now), Ok(Some(lease(version, holder))));
    };
    read(100, "7", "a");
    read(114, "8", "a");
    read(128, "8", "a");
    read(130, "8", "a");
    assert_eq!(election.step(at(130)), Step::Claim(Some("8".to_owned())));
    // Somebody was faster.
    election.written(at(130), Err(()));
    assert!(!election.leads(at(130)));
    assert_eq!(election.step(at(132)), Step::Read);
}

#[test]
fn a_lease_that_was_given_up_is_taken_at_once() {
    let mut election = Election::new("b".to_owned(), Timing::default());
    election.step(at(0));
    election.read(at(0), Ok(Some(lease("7", ""))));
    assert_eq!(election.step(at(0)), Step::Claim(Some("7".to_owned())));
}

#[test]
fn a_claim_whose_answer_was_lost_is_found_again() {
    let mut election = Election::new("a".to_owned(), Timing::default());
    election.step(at(0));
    election.read(at(0), Ok(None));
    election.step(at(0));
    election.written(at(3), Err(()));
    assert_eq!(election.step(at(5)), Step::Read);
    election.read(at(5), Ok(Some(lease("1", "a"))));
    assert_eq!(election.step(at(5)), Step::Claim(Some("1".to_owned())));
}
