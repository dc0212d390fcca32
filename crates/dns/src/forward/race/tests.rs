//! Time stands still here but for what is waited for: figures are exact.

use std::sync::Mutex;

use super::*;

/// An upstream that does these things one after the other, the last one again and again.
struct Scripted {
    delay: u64,
    script: Vec<(u64, Came)>,
    asked: Mutex<usize>,
}

fn scripted(delay: u64, script: &[(u64, Came)]) -> Scripted {
    Scripted { delay, script: script.to_vec(), asked: Mutex::new(0) }
}

impl Runner for Scripted {
    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], 53).into()
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.delay)
    }

    fn ask(&self) -> BoxFuture<'static, Came> {
        let mut asked = self.asked.lock().unwrap();
        let (time, came) = self.script[(*asked).min(self.script.len() - 1)].clone();
        *asked += 1;
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(time)).await;
            came
        })
    }
}

/// A message with this code and so many answers; `mark` tells whose it is.
fn message(code: u8, answers: u8, mark: u8) -> Vec<u8> {
    vec![0, 0, 0x80, code, 0, 1, 0, answers, 0, 0, 0, 0, mark]
}

fn good(mark: u8) -> Came {
    Came::Good(message(0, 1, mark))
}

fn nothing(mark: u8) -> Came {
    Came::Good(message(3, 0, mark))
}

fn servfail(mark: u8) -> Came {
    Came::Failure(message(2, 0, mark))
}

fn silent() -> (u64, Came) {
    (2000, Came::Silence)
}

/// Whose answer was taken, after how many milliseconds, and when each attempt began and how it
/// ended.
async fn run(order: &[Scripted]) -> (Option<u8>, u64, Vec<(u64, End)>) {
    let start = Instant::now();
    let (outcome, _) = race(order, start + BUDGET).await;
    let took = u64::try_from(start.elapsed().as_millis()).unwrap();
    let attempts = outcome.attempts.into_iter();
    let attempts = attempts.map(|a| (u64::try_from(a.after.as_millis()).unwrap(), a.end));
    (outcome.answer.map(|answer| answer[12]), took, attempts.collect())
}

#[tokio::test(start_paused = true)]
async fn who_is_quick_is_asked_alone() {
    let (mark, took, attempts) =
        run(&[scripted(100, &[(99, good(1))]), scripted(1, &[(1, good(2))])]).await;
    assert_eq!((mark, took, attempts), (Some(1), 99, vec![(0, End::Said(0))]));
}

#[tokio::test(start_paused = true)]
async fn who_is_slow_has_a_competitor() {
    let (mark, took, attempts) =
        run(&[scripted(100, &[silent()]), scripted(100, &[(30, good(2))])]).await;
    assert_eq!((mark, took), (Some(2), 130));
    assert_eq!(attempts, [(0, End::Overtaken), (100, End::Said(0))]);
    let (mark, took, _) =
        run(&[scripted(100, &[(120, good(1))]), scripted(100, &[(30, good(2))])]).await;
    assert_eq!((mark, took), (Some(1), 120), "the first good answer");
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_next_is_asked_at_once() {
    for failure in [servfail(1), Came::Error("nobody there".to_owned())] {
        let order = [scripted(800, &[(10, failure)]), scripted(800, &[(5, good(2))])];
        let (mark, took, attempts) = run(&order).await;
        assert_eq!((mark, took, attempts.len()), (Some(2), 15, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn if_all_fail_it_is_said_in_the_firsts_words() {
    let order = [scripted(100, &[(20, servfail(1))]), scripted(100, &[(5, servfail(2))])];
    assert_eq!(run(&order).await.0, Some(1));
    let gone = || Came::Error("nobody there".to_owned());
    let (mark, took, attempts) =
        run(&[scripted(100, &[(1, gone())]), scripted(100, &[(1, gone())])]).await;
    assert_eq!((mark, took, attempts.len()), (None, 2, 2), "nobody is asked in vain again");
    assert_eq!(run(&[]).await, (None, 0, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_lost_packet_is_sent_again() {
    let (mark, took, attempts) = run(&[scripted(100, &[silent(), (10, good(1))])]).await;
    assert_eq!((mark, took), (Some(1), 1010));
    assert_eq!(attempts, [(0, End::Overtaken), (1000, End::Said(0))]);
    // A slow answer to the first is as good.
    let (mark, took, _) = run(&[scripted(100, &[(1500, good(1)), silent()])]).await;
    assert_eq!((mark, took), (Some(1), 1500));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_time() {
    let (mark, took, attempts) = run(&[scripted(100, &[silent()])]).await;
    assert_eq!((mark, took), (None, 4000));
    assert_eq!(attempts, [(0, End::Silence), (1000, End::Silence), (2000, End::Silence)]);
    let many: Vec<_> = (0..6).map(|_| scripted(800, &[silent()])).collect();
    let (mark, took, attempts) = run(&many).await;
    assert_eq!((mark, took), (None, 4500), "before clients give up");
    assert!(attempts.len() <= MAX_ATTEMPTS);
    let many: Vec<_> = (0..9).map(|_| scripted(100, &[silent()])).collect();
    let begun: Vec<_> = run(&many).await.2.into_iter().map(|(after, _)| after).collect();
    assert_eq!(begun, [0, 100, 200, 300, 2000, 2100, 2200, 2300], "four at a time");
}

#[tokio::test(start_paused = true)]
async fn a_later_no_waits_a_little_for_an_earlier_yes() {
    let order = |first| [scripted(100, &[first]), scripted(100, &[(10, nothing(2))])];
    let (mark, took, _) = run(&order((400, good(1)))).await;
    assert_eq!((mark, took), (Some(1), 400));
    let (mark, took, _) = run(&order((400, nothing(1)))).await;
    assert_eq!((mark, took), (Some(1), 400));
    let (mark, took, _) = run(&order(silent())).await;
    assert_eq!((mark, took), (Some(2), 610), "half a second, not more");
    let (mark, took, _) = run(&order((300, servfail(1)))).await;
    assert_eq!((mark, took), (Some(2), 300), "the earlier one knows nothing");
    // The first one's no is the answer.
    let order = [scripted(100, &[(50, nothing(1))]), scripted(100, &[(1, good(2))])];
    assert_eq!(run(&order).await.0, Some(1));
}
