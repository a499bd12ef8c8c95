"""The outbox against a real ledger: once, in order, through crashes, refusals, bursts and two senders at once."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.receivers import Answer, MailReceiver, WebReceiver
from threegaps.ledger import outbox
from threegaps.settings import SHANGHAI
from threegaps.watch import sending
from threegaps.watch.alerts import Alerts, ChannelSettings
from threegaps.watch.channels.dingtalk import DingTalk
from threegaps.watch.channels.mail import Mail
from threegaps.watch.channels.making import make_channel
from threegaps.watch.channels.posting import Target
from threegaps.watch.channels.wecom import WeCom
from threegaps.watch.message import SYNTHETIC_MARK, Channel, ChannelError, Message, OnePlace, incident_message_id
from threegaps.watch.sending import MESSAGES_PER_PASS, channels_seen, outbox_seen, send_due
from threegaps.watch.trying import LEAST_TRIES, pause_seconds

pytestmark = pytest.mark.integration

NOW = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@dataclass
class Recorder(OnePlace):
    """A channel that keeps what it is given, and fails as it is told."""

    name: str = "duty"
    sent: list[Message] = field(default_factory=list)
    fails: Callable[[Message], ChannelError | BaseException | None] = lambda _: None
    before: Callable[[Message], None] = lambda _: None

    def send(self, message: Message) -> None:
        self.before(message)
        error = self.fails(message)
        if error is not None:
            raise error
        self.sent.append(message)

    @property
    def told(self) -> list[str]:
        return [f"{message.change} {message.subject}" for message in self.sent]


@pytest.fixture
def ledger(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        yield connection


def incident(ledger: psycopg.Connection[Any], key: str = "airflow_down") -> int:
    row = ledger.execute(
        "insert into ops.incident (cause_key, kind, gravity, title_zh, title_en, opened_at)"
        " values (%s, 'airflow_down', 'critical', '停', 'down', %s) returning incident_id",
        [key, NOW],
    ).fetchone()
    assert row is not None
    return int(row[0])


def enter(
    ledger: psycopg.Connection[Any],
    number: int | None,
    change: str,
    *,
    channel: str = "duty",
    gravity: str = "critical",
    send_after: dt.datetime = NOW,
    created_at: dt.datetime | None = None,
    subject: str | None = None,
) -> str:
    message_id = incident_message_id(f"{number}{subject or ''}", NOW, change, channel)
    opening = incident_message_id(f"{number}{subject or ''}", NOW, "opened", channel)
    content = {"kind": "airflow_down"} | ({"reply_to": opening} if change != "opened" else {})
    ledger.execute(
        "insert into ops.outbox (incident_id, change, channel, message_id, gravity, subject, body, content,"
        " send_after, created_at) values (%s, %s, %s, %s, %s, %s, 'text', %s, %s, %s)",
        [
            number,
            change,
            channel,
            message_id,
            gravity,
            subject or str(number),
            Jsonb(content),
            send_after,
            created_at or min(send_after, NOW),
        ],
    )
    return message_id


def states(ledger: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    return ledger.execute(
        "select change, case when sent_at is not null then 'sent' when given_up_at is not null then 'given up'"
        " when cancelled_at is not null then 'cancelled' else 'waiting' end from ops.outbox order by outbox_id"
    ).fetchall()


def test_each_goes_out_once_and_in_its_order_however_often_it_is_asked(ledger: psycopg.Connection[Any]) -> None:
    first, second = incident(ledger), incident(ledger, "warehouse_down")
    opened = enter(ledger, first, "opened")
    enter(ledger, second, "opened")
    enter(ledger, first, "closed")
    duty = Recorder()
    assert send_due(ledger, {"duty": duty}, NOW).messages == 3
    assert duty.told == [f"opened {first}", f"opened {second}", f"closed {first}"]
    assert [message.reply_to for message in duty.sent] == [None, None, opened]
    assert send_due(ledger, {"duty": duty}, NOW + HOUR).messages == 0
    assert len(duty.sent) == 3
    assert states(ledger) == [("opened", "sent")] * 2 + [("closed", "sent")]


def test_what_is_not_due_waits(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened", send_after=NOW + HOUR)
    duty = Recorder()
    assert send_due(ledger, {"duty": duty}, NOW + HOUR - MINUTE).messages == 0
    assert outbox_seen(ledger, NOW).waiting == 1
    assert send_due(ledger, {"duty": duty}, NOW + HOUR).messages == 1


def test_a_sender_that_dies_between_sending_and_noting_sends_the_same_id_again(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    enter(ledger, number, "opened")
    enter(ledger, number, "closed")

    def dies(message: Message) -> None:
        duty.sent.append(message)
        raise KeyboardInterrupt

    duty = Recorder(before=dies)
    with pytest.raises(KeyboardInterrupt):
        send_due(ledger, {"duty": duty}, NOW)
    assert states(ledger) == [("opened", "waiting"), ("closed", "waiting")]
    duty.before = lambda _: None
    send_due(ledger, {"duty": duty}, NOW)
    assert duty.told == [f"opened {number}", f"opened {number}", f"closed {number}"]
    assert duty.sent[0].message_id == duty.sent[1].message_id


def test_a_connection_that_breaks_while_it_is_noted_leaves_the_message_to_be_sent_again(
    ledger: psycopg.Connection[Any], warehouse: str
) -> None:
    enter(ledger, incident(ledger), "opened")
    duty = Recorder()
    with psycopg.connect(warehouse, autocommit=True) as doomed:
        duty.before = lambda _: ledger.execute("select pg_terminate_backend(%s)", [doomed.info.backend_pid]) and None
        with pytest.raises(psycopg.OperationalError):
            send_due(doomed, {"duty": duty}, NOW)
    duty.before = lambda _: None
    send_due(ledger, {"duty": duty}, NOW)
    assert len(duty.sent) == 2
    assert len({message.message_id for message in duty.sent}) == 1


def test_two_senders_at_once_send_each_message_once_and_in_order(
    ledger: psycopg.Connection[Any], warehouse: str
) -> None:
    numbers = [incident(ledger, f"feed_late:{number}") for number in range(4)]
    for number in numbers:
        enter(ledger, number, "opened")
        enter(ledger, number, "closed")
    both_are_at_it = threading.Event()
    duty = Recorder()
    duty.before = lambda _: both_are_at_it.wait(5) and None

    def work() -> None:
        with psycopg.connect(warehouse, autocommit=True) as own:
            send_due(own, {"duty": duty}, NOW)

    first = threading.Thread(target=work)
    first.start()
    with psycopg.connect(warehouse, autocommit=True) as own:
        # The first one is in the middle of a message: this one finds the channel in use and goes away.
        while not ledger.execute("select from pg_locks where locktype = 'advisory' and granted").fetchall():
            pass
        assert send_due(own, {"duty": duty}, NOW).messages == 0
    both_are_at_it.set()
    first.join()
    assert len(duty.sent) == len({message.message_id for message in duty.sent}) == 8
    for number in numbers:
        assert duty.told.index(f"opened {number}") < duty.told.index(f"closed {number}")


def test_a_channel_that_fails_is_tried_with_growing_pauses_and_holds_up_no_other(
    ledger: psycopg.Connection[Any],
) -> None:
    number = incident(ledger)
    for channel in ("bad", "good"):
        enter(ledger, number, "opened", channel=channel)
    bad, good = Recorder("bad", fails=lambda _: ChannelError("smtp:25 cannot be reached.")), Recorder("good")
    done = send_due(ledger, {"bad": bad, "good": good}, NOW)
    assert (done.messages, done.failed, done.errors) == (1, 1, {"bad": "smtp:25 cannot be reached."})
    tries = []
    moment = NOW
    for _ in range(7):
        row = ledger.execute("select retry_at from ops.outbox where channel = 'bad'").fetchone()
        assert row is not None
        tries.append((row[0] - moment).total_seconds())
        assert send_due(ledger, {"bad": bad, "good": good}, row[0] - MINUTE / 60).failed == 0
        moment = row[0]
        assert send_due(ledger, {"bad": bad, "good": good}, moment).failed == 1
    assert tries == [15, 30, 60, 120, 240, 300, 300]
    # What comes later waits behind it, and then goes in its order.
    enter(ledger, number, "closed", channel="bad", send_after=moment)
    assert send_due(ledger, {"bad": bad}, moment).failed == 0
    bad.fails = lambda _: None
    send_due(ledger, {"bad": bad}, moment + 6 * MINUTE)
    assert bad.told == [f"opened {number}", f"closed {number}"]
    assert outbox_seen(ledger, NOW).waiting == 0


def test_the_pause_that_the_other_side_asks_for_is_kept(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened")
    duty = Recorder(fails=lambda _: ChannelError("too fast", 600.0))
    send_due(ledger, {"duty": duty}, NOW)
    duty.fails = lambda _: None
    assert send_due(ledger, {"duty": duty}, NOW + 9 * MINUTE).messages == 0
    assert send_due(ledger, {"duty": duty}, NOW + 10 * MINUTE).messages == 1


def test_a_refusal_that_does_not_heal_is_visible_and_tried_again_until_the_channel_is_mended(
    ledger: psycopg.Connection[Any],
) -> None:
    alerts = Alerts((ChannelSettings("duty", "dingtalk"), ChannelSettings("idle", "mail")))
    number = incident(ledger)
    enter(ledger, number, "opened")
    duty = Recorder(fails=lambda _: ChannelError("errcode 310000", None, True))
    done = send_due(ledger, {"duty": duty}, NOW)
    assert (done.given_up, done.failed) == (0, 1)
    seen = outbox_seen(ledger, dt.datetime.now(SHANGHAI))
    assert (seen.waiting, seen.given_up) == (1, 0)
    first, idle = channels_seen(ledger, alerts)
    assert (first.is_refused, first.words_en) == (True, "errcode 310000")
    assert (idle.is_refused, idle.words_en) == (False, "")
    enter(ledger, number, "closed")
    duty.fails = lambda _: None
    assert send_due(ledger, {"duty": duty}, NOW + 4 * MINUTE).messages == 0
    assert send_due(ledger, {"duty": duty}, NOW + 5 * MINUTE).messages == 2
    assert duty.told == [f"opened {number}", f"closed {number}"]
    assert not channels_seen(ledger, alerts)[0].is_refused


def test_what_could_not_be_sent_for_a_declared_time_is_given_up_with_its_close(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    enter(ledger, number, "opened")
    duty = Recorder(fails=lambda _: ChannelError("no answer"))
    for tries in range(LEAST_TRIES):
        send_due(ledger, {"duty": duty}, NOW + 5 * tries * MINUTE, give_up_after=2 * HOUR)
    enter(ledger, number, "closed", send_after=NOW + HOUR)
    done = send_due(ledger, {"duty": duty}, NOW + 2 * HOUR + MINUTE, give_up_after=2 * HOUR)
    assert (done.given_up, done.cancelled, done.failed) == (1, 1, 0)
    assert states(ledger) == [("opened", "given up"), ("closed", "cancelled")]


def test_what_waited_for_its_hour_is_not_given_up_for_that(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened", send_after=NOW + 70 * HOUR, created_at=NOW, gravity="warning")
    duty = Recorder()
    assert send_due(ledger, {"duty": duty}, NOW + 70 * HOUR).messages == 1


def test_what_lay_there_while_the_watch_was_away_is_tried_some_times(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened")
    enter(ledger, incident(ledger, "other"), "opened", channel="bad")
    duty, bad = Recorder(), Recorder("bad", fails=lambda _: ChannelError("no answer"))
    done = send_due(ledger, {"duty": duty, "bad": bad}, NOW + 80 * HOUR)
    assert (done.messages, done.failed, done.given_up) == (1, 1, 0)
    for tries in range(1, LEAST_TRIES):
        assert send_due(ledger, {"duty": duty, "bad": bad}, NOW + 80 * HOUR + 5 * tries * MINUTE).failed == 1
    send_due(ledger, {"duty": duty, "bad": bad}, NOW + 81 * HOUR)
    assert states(ledger) == [("opened", "sent"), ("opened", "given up")]


def test_a_channel_that_is_no_longer_in_the_file_is_given_up_in_time(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened", channel="gone")
    assert send_due(ledger, {}, NOW).given_up == 0
    assert send_due(ledger, {}, NOW + 25 * HOUR).given_up == 1
    row = ledger.execute("select last_error from ops.outbox").fetchone()
    assert row == ("There is no channel of this name in alerts.yaml.",)


def test_what_was_over_before_its_hour_came_is_not_told(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    morning = NOW + 23 * HOUR
    enter(ledger, number, "opened", send_after=morning, gravity="warning")
    enter(ledger, number, "closed", send_after=morning, gravity="warning")
    duty = Recorder()
    send_due(ledger, {"duty": duty}, NOW)
    send_due(ledger, {"duty": duty}, morning)
    assert duty.sent == []
    assert states(ledger) == [("opened", "cancelled"), ("closed", "cancelled")]


def test_what_was_over_while_the_channel_failed_is_told_when_it_works_again(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    enter(ledger, number, "opened")
    duty = Recorder(fails=lambda _: ChannelError("no answer"))
    send_due(ledger, {"duty": duty}, NOW)
    enter(ledger, number, "closed", send_after=NOW + MINUTE)
    duty.fails = lambda _: None
    send_due(ledger, {"duty": duty}, NOW + 10 * MINUTE)
    assert duty.told == [f"opened {number}", f"closed {number}"]


def test_an_opening_that_waits_while_its_incident_ends_elsewhere_is_not_told(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    enter(ledger, number, "opened", send_after=NOW + HOUR, gravity="warning")
    ledger.execute("update ops.incident set closed_at = now(), closed_by = 'watch'")
    duty = Recorder()
    send_due(ledger, {"duty": duty}, NOW + MINUTE)
    assert states(ledger) == [("opened", "cancelled")]


def test_what_worsens_in_quiet_hours_is_told_once_and_its_close_follows(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    enter(ledger, number, "opened", send_after=NOW + 9 * HOUR, gravity="warning")
    worse = enter(ledger, number, "worsened")
    duty = Recorder()
    send_due(ledger, {"duty": duty}, NOW)
    enter(ledger, number, "closed", send_after=NOW + HOUR)
    send_due(ledger, {"duty": duty}, NOW + HOUR)
    send_due(ledger, {"duty": duty}, NOW + 10 * HOUR)
    assert duty.told == [f"worsened {number}", f"closed {number}"]
    assert [message.reply_to for message in duty.sent] == [None, worse]


def test_many_at_once_are_one_message_and_so_are_their_closes(ledger: psycopg.Connection[Any]) -> None:
    numbers = [incident(ledger, f"feed_late:{number}") for number in range(200)]
    for number in numbers:
        enter(ledger, number, "opened", gravity="warning")
    enter(ledger, numbers[0], "acknowledged", gravity="warning")
    duty = Recorder()
    assert send_due(ledger, {"duty": duty}, NOW).messages == 2
    bundle, acknowledged = duty.sent
    assert "200 项新事件 · 200 new incidents" in bundle.subject
    assert len(bundle.content["bundled"]) == 200
    assert "160 more" in bundle.text
    assert acknowledged.reply_to == bundle.message_id
    for number in numbers[:6]:
        enter(ledger, number, "closed", gravity="warning")
    assert send_due(ledger, {"duty": duty}, NOW).messages == 1
    assert "6 incidents closed" in duty.sent[-1].subject
    # One alone follows the bundle that its opening went out in.
    enter(ledger, numbers[7], "closed", gravity="warning")
    send_due(ledger, {"duty": duty}, NOW)
    assert duty.sent[-1].reply_to == bundle.message_id
    assert len(duty.sent) == 4


@pytest.mark.parametrize("change", ["opened", "closed"])
def test_a_bundle_of_the_sandbox_says_so_as_each_message_does(ledger: psycopg.Connection[Any], change: str) -> None:
    for number in range(6):
        one = incident(ledger, f"feed_late:{number}")
        enter(ledger, one, "opened")
        if change == "closed":
            ledger.execute("update ops.outbox set sent_at = now(), sent_as = message_id where change = 'opened'")
            enter(ledger, one, "closed")
    duty = Recorder()
    send_due(ledger, {"duty": duty}, NOW, is_synthetic=True)
    (bundle,) = duty.sent
    assert bundle.subject.startswith(SYNTHETIC_MARK)


def test_five_at_once_are_five_messages(ledger: psycopg.Connection[Any]) -> None:
    for number in range(5):
        enter(ledger, incident(ledger, f"feed_late:{number}"), "opened")
    duty = Recorder()
    assert send_due(ledger, {"duty": duty}, NOW, burst=5).messages == 5


def test_a_bundle_that_is_sent_again_after_a_crash_has_the_same_id_although_more_has_come(
    ledger: psycopg.Connection[Any],
) -> None:
    for number in range(6):
        enter(ledger, incident(ledger, f"feed_late:{number}"), "opened")

    def dies(message: Message) -> None:
        duty.sent.append(message)
        raise KeyboardInterrupt

    duty = Recorder(before=dies)
    with pytest.raises(KeyboardInterrupt):
        send_due(ledger, {"duty": duty}, NOW)
    enter(ledger, incident(ledger, "one more"), "opened")
    duty.before = lambda _: None
    send_due(ledger, {"duty": duty}, NOW)
    assert len(duty.sent) == 2
    assert duty.sent[0].message_id == duty.sent[1].message_id
    assert len(duty.sent[1].content["bundled"]) == 7


def test_a_channel_gets_no_more_than_its_share_in_a_pass(ledger: psycopg.Connection[Any]) -> None:
    for number in range(MESSAGES_PER_PASS + 3):
        enter(ledger, None, "digest", gravity="notice", subject=f"day {number}")
    duty = Recorder()
    assert send_due(ledger, {"duty": duty}, NOW).messages == MESSAGES_PER_PASS
    assert send_due(ledger, {"duty": duty}, NOW).messages == 3


def test_a_fault_of_a_channel_is_noted_without_its_words_and_tried_again(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened")
    duty = Recorder(fails=lambda _: ValueError("王小明 330106199001011237"))
    done = send_due(ledger, {"duty": duty}, NOW)
    assert done.failed == 1
    row = ledger.execute("select last_error from ops.outbox").fetchone()
    assert row is not None
    assert "ValueError" in row[0]
    assert "330106" not in row[0]


def test_a_connection_without_autocommit_is_refused(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection, pytest.raises(ValueError, match="autocommit"):
        send_due(connection, {}, NOW)


def test_pauses_grow_to_a_limit_and_never_overflow() -> None:
    assert [pause_seconds(tries) for tries in (0, 1, 4, 5, 10_000)] == [15, 30, 240, 300, 300]


def test_a_message_that_alone_is_refused_keeps_no_other_back(ledger: psycopg.Connection[Any]) -> None:
    numbers = [incident(ledger, f"feed_late:{number}") for number in range(3)]
    for number in numbers:
        enter(ledger, number, "opened")
    duty = Recorder(
        fails=lambda message: ChannelError("404", None, True) if message.incident_id == numbers[0] else None
    )
    send_due(ledger, {"duty": duty}, NOW)
    enter(ledger, numbers[0], "closed")
    send_due(ledger, {"duty": duty}, NOW + 5 * MINUTE)
    assert duty.told == [f"opened {numbers[1]}", f"opened {numbers[2]}"]
    assert states(ledger)[0] == ("opened", "waiting")
    (seen,) = channels_seen(ledger, Alerts((ChannelSettings("duty", "dingtalk"),)))
    assert (seen.is_refused, seen.refused_messages) == (False, 1)
    assert seen.words_en == "1 message was refused, others go out: 404"


def test_a_clock_that_is_put_back_keeps_no_message_back(ledger: psycopg.Connection[Any]) -> None:
    later = NOW + 24_000 * HOUR
    number = incident(ledger)
    enter(ledger, number, "opened", send_after=later + 9 * HOUR, created_at=later, gravity="warning")
    enter(ledger, incident(ledger, "other"), "opened", send_after=later, created_at=later)
    duty = Recorder(fails=lambda _: ChannelError("no answer"))
    send_due(ledger, {"duty": duty}, later)
    duty.fails = lambda _: None
    send_due(ledger, {"duty": duty}, NOW)
    assert len(duty.sent) == 2


def test_no_other_side_makes_a_channel_wait_for_more_than_an_hour(ledger: psycopg.Connection[Any]) -> None:
    enter(ledger, incident(ledger), "opened")
    duty = Recorder(fails=lambda _: ChannelError("too fast", 1e9))
    send_due(ledger, {"duty": duty}, NOW)
    duty.fails = lambda _: None
    assert send_due(ledger, {"duty": duty}, NOW + HOUR).messages == 1


def test_what_may_have_been_taken_twice_is_not_sent_a_third_time(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    enter(ledger, number, "opened")
    tries: list[Message] = []
    duty = Recorder(before=tries.append, fails=lambda _: ChannelError("broke off", is_unclear=True))
    for minutes in range(0, 24 * 60, 5):
        send_due(ledger, {"duty": duty}, NOW + minutes * MINUTE)
    assert len(tries) == 2
    assert states(ledger) == [("opened", "sent")]
    row = ledger.execute("select unclear_tries, last_error from ops.outbox").fetchone()
    assert row == (2, "broke off")


# ---- one message that its channel never takes -----------------------------------------------------------------

DUTY = Alerts((ChannelSettings("duty", "mail"),))


def refuses(*numbers: int, error: ChannelError) -> Callable[[Message], ChannelError | None]:
    return lambda message: error if message.incident_id in numbers else None


@pytest.mark.parametrize(
    "error",
    [
        ChannelError("554", None, True, concerns="message"),
        ChannelError("554", None, True),
        ChannelError("HTTP 500"),
        ChannelError("broke off", is_unclear=True),
    ],
)
def test_one_that_is_never_taken_is_passed_by_those_before_it_and_after_it(
    ledger: psycopg.Connection[Any], error: ChannelError
) -> None:
    numbers = [incident(ledger, f"feed_late:{number}") for number in range(6)]
    duty = Recorder(fails=refuses(numbers[0], error=error))
    for passed, number in enumerate(numbers):
        # Each comes in a pause of the first one, but for the first two.
        enter(ledger, number, "opened")
        send_due(ledger, {"duty": duty}, NOW + passed * 20 * MINUTE / 60)
    assert duty.told == [f"opened {number}" for number in numbers[1:]]


def test_one_that_is_refused_for_good_ends_as_failed_with_its_cause(ledger: psycopg.Connection[Any]) -> None:
    bad, good = incident(ledger), incident(ledger, "other")
    tries: list[Message] = []
    error = ChannelError("mail:25 refused the text with code 554.", None, True, concerns="message")
    duty = Recorder(before=tries.append, fails=refuses(bad, error=error))
    enter(ledger, bad, "opened")
    for tried in range(2 * LEAST_TRIES):
        send_due(ledger, {"duty": duty}, NOW + tried * 5 * MINUTE)
    # While nothing shows that the channel takes others it may be the channel: it is tried on.
    assert states(ledger) == [("opened", "waiting")]
    enter(ledger, good, "opened")
    for tried in range(2 * LEAST_TRIES, 2 * LEAST_TRIES + 3):
        send_due(ledger, {"duty": duty}, NOW + tried * 5 * MINUTE)
    assert states(ledger) == [("opened", "given up"), ("opened", "sent")]
    assert len([one for one in tries if one.incident_id == bad]) == 2 * LEAST_TRIES
    (seen,) = channels_seen(ledger, DUTY)
    assert (seen.is_refused, seen.refused_messages) == (False, 1)
    assert "mail:25 refused the text with code 554." in seen.words_en
    assert outbox_seen(ledger, dt.datetime.now(SHANGHAI)).given_up == 1


def test_two_that_are_never_taken_hold_up_the_others_for_one_pause_at_most(ledger: psycopg.Connection[Any]) -> None:
    numbers = [incident(ledger, f"feed_late:{number}") for number in range(4)]
    duty = Recorder(fails=refuses(*numbers[:2], error=ChannelError("HTTP 500")))
    for number in numbers:
        enter(ledger, number, "opened")
    send_due(ledger, {"duty": duty}, NOW)
    assert duty.told == []
    send_due(ledger, {"duty": duty}, NOW + MINUTE / 4)
    assert duty.told == [f"opened {number}" for number in numbers[2:]]


def test_a_channel_that_fails_is_tried_with_one_other_message_and_then_left_alone(
    ledger: psycopg.Connection[Any],
) -> None:
    for number in range(8):
        enter(ledger, incident(ledger, f"feed_late:{number}"), "opened")
    tries: list[Message] = []
    duty = Recorder(before=tries.append, fails=lambda _: ChannelError("HTTP 500"))
    for seconds in range(0, 15, 5):
        send_due(ledger, {"duty": duty}, NOW + seconds * MINUTE / 60, burst=100)
    assert len(tries) == 2
    duty.fails = lambda _: ChannelError("cannot be reached", concerns="channel")
    send_due(ledger, {"duty": duty}, NOW + MINUTE, burst=100)
    assert len(tries) == 3
    enter(ledger, incident(ledger), "opened")
    send_due(ledger, {"duty": duty}, NOW + MINUTE, burst=100)
    assert len(tries) == 3


@pytest.mark.parametrize("error", [ChannelError("430104", None, True, concerns="message"), ChannelError("HTTP 500")])
def test_one_of_a_bundle_that_is_never_taken_keeps_no_other_back(
    ledger: psycopg.Connection[Any], error: ChannelError
) -> None:
    numbers = [incident(ledger, f"feed_late:{number}") for number in range(8)]
    for number in numbers:
        enter(ledger, number, "opened")
    poison = incident_message_id(str(numbers[3]), NOW, "opened", "duty")

    def fails(message: Message) -> ChannelError | None:
        inside = [one["message_id"] for one in message.content.get("bundled", ())]
        return error if poison in [message.message_id, *inside] else None

    duty = Recorder(fails=fails)
    for seconds in range(0, 60, 15):
        send_due(ledger, {"duty": duty}, NOW + seconds * MINUTE / 60)
    assert sorted(duty.told) == sorted(f"opened {number}" for number in numbers if number != numbers[3])
    assert len(duty.sent) == 7


def test_what_was_tried_past_the_outbox_keeps_its_pause_and_its_tries(ledger: psycopg.Connection[Any]) -> None:
    number = incident(ledger)
    tried = outbox.Tried(tries=4, unclear_tries=1, tried_at=NOW, retry_at=NOW + HOUR, fault="channel", last_error="no")
    outbox.enter(
        ledger,
        message_id="one@threegaps",
        incident_id=number,
        change="opened",
        channel="duty",
        gravity="critical",
        subject="s",
        body="b",
        content={},
        send_after=NOW,
        created_at=NOW,
        tried=tried,
    )
    duty = Recorder(fails=lambda _: ChannelError("broke off", is_unclear=True))
    assert send_due(ledger, {"duty": duty}, NOW + 59 * MINUTE).failed == 0
    assert send_due(ledger, {"duty": duty}, NOW + HOUR).failed == 1
    row = ledger.execute("select tries, unclear_tries, sent_at is not null from ops.outbox").fetchone()
    assert row == (5, 2, True)


# ---- several recipients ---------------------------------------------------------------------------------------

FIRST, SECOND, THIRD = (f"{name}@example.gov.cn" for name in ("first", "second", "third"))


def by_mail(receiver: MailReceiver, *recipients: str) -> Mail:
    return Mail("duty", "127.0.0.1", receiver.port, "none", "threegaps@example.gov.cn", recipients)


def got(receiver: MailReceiver) -> list[tuple[str, str]]:
    """Who has got what, in order."""
    return [
        (recipient.partition("@")[0], str(message["Message-ID"]))
        for message, envelope in zip(receiver.messages, receiver.envelopes, strict=True)
        for recipient in envelope
    ]


def test_a_recipient_who_is_put_off_gets_each_message_later_and_once_and_the_others_none_again(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    number = incident(ledger)
    opened = f"<{enter(ledger, number, 'opened')}>"
    duty = {"duty": by_mail(mail, FIRST, SECOND, THIRD)}
    mail.puts_off = {SECOND: "451 4.7.1 greylisted", THIRD: "550 5.1.1 unknown"}
    done = send_due(ledger, duty, NOW)
    assert got(mail) == [("first", opened)]
    assert "put 1 of 3 recipients off with code 451: they get it later." in done.errors["duty"]
    assert "refused 1 of 3 recipients with code 550." in done.errors["duty"]
    (seen,) = channels_seen(ledger, DUTY)
    assert "code 550" in seen.words_en
    # Its end keeps nobody waiting, and passes nobody's opening.
    closed = f"<{enter(ledger, number, 'closed', send_after=NOW + MINUTE)}>"
    del mail.puts_off[THIRD]
    send_due(ledger, duty, NOW + MINUTE)
    assert got(mail) == [("first", opened), ("first", closed), ("third", closed)]
    mail.puts_off.clear()
    for minutes in range(2, 30):
        # Whoever sends is another process each time.
        send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND, THIRD)}, NOW + minutes * MINUTE)
    assert got(mail)[3:] == [("second", opened), ("second", closed)]
    assert str(mail.messages[-1]["To"]) == f"{FIRST}, {SECOND}, {THIRD}"
    assert ledger.execute(
        "select count(*) from ops.outbox where content ? 'rest' or retry_at is not null"
    ).fetchone() == (0,)


def test_who_takes_messages_again_gets_no_end_before_its_opening(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    number = incident(ledger)
    opened = f"<{enter(ledger, number, 'opened')}>"
    mail.puts_off = {SECOND: "451 4.7.1 greylisted"}
    send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND)}, NOW)
    mail.puts_off.clear()
    # The pause after the first try is not over.
    closed = f"<{enter(ledger, number, 'closed')}>"
    for seconds in (5, 20, 40, 60):
        send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND)}, NOW + dt.timedelta(seconds=seconds))
    assert got(mail) == [("first", opened), ("first", closed), ("second", opened), ("second", closed)]
    # Each of them has it in one thread.
    assert [message["In-Reply-To"] for message in mail.messages] == [None, opened, None, opened]
    assert [message["References"] for message in mail.messages] == [None, opened, None, opened]


def test_what_is_held_for_all_recipients_is_not_noted_as_sent(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    number = incident(ledger)
    opened = f"<{enter(ledger, number, 'opened')}>"
    mail.puts_off = {SECOND: "451 4.7.1 greylisted"}
    send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND)}, NOW)
    closed = f"<{enter(ledger, number, 'closed')}>"
    other = f"<{enter(ledger, incident(ledger, 'disk_full'), 'opened')}>"
    # The first is a recipient no more: nobody is left who could have the end before the opening.
    mail.puts_off.clear()
    send_due(ledger, {"duty": by_mail(mail, SECOND)}, NOW + dt.timedelta(seconds=5))
    assert states(ledger) == [("opened", "sent"), ("closed", "waiting"), ("opened", "sent")]
    for minutes in (1, 2):
        send_due(ledger, {"duty": by_mail(mail, SECOND)}, NOW + minutes * MINUTE)
    assert got(mail) == [("first", opened), ("second", other), ("second", opened), ("second", closed)]
    assert ledger.execute("select tries from ops.outbox where change = 'closed'").fetchone() == (1,)


def test_a_bundle_that_a_recipient_puts_off_comes_to_him_as_the_same_one(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    for number in range(7):
        enter(ledger, incident(ledger, f"feed_late:{number}"), "opened")
    mail.puts_off = {SECOND: "450 4.2.1 later"}
    for minutes in range(0, 20, 5):
        send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND)}, NOW + minutes * MINUTE)
    mail.puts_off.clear()
    send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND)}, NOW + 30 * MINUTE)
    send_due(ledger, {"duty": by_mail(mail, FIRST, SECOND)}, NOW + 60 * MINUTE)
    first, second = mail.messages
    assert [who for who, _ in got(mail)] == ["first", "second"]
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_content() == second.get_content()


def test_what_took_its_time_to_be_read_is_not_begun_late(
    ledger: psycopg.Connection[Any], mail: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(ledger, incident(ledger), "opened")
    mail.puts_off = {SECOND: "451 4.7.1 greylisted"}
    duty = {"duty": by_mail(mail, FIRST, SECOND)}
    held = sending._Sender._made

    def slowly(*given: Any) -> Message:
        time.sleep(0.5)
        return held(*given)

    for minutes in (0, 10):
        with monkeypatch.context() as slow:
            slow.setattr(sending._Sender, "_made", slowly)
            before = mail.connections
            send_due(ledger, duty, NOW + minutes * MINUTE, until=time.monotonic() + 0.4)
            assert mail.connections == before
        send_due(ledger, duty, NOW + minutes * MINUTE)
        assert mail.connections == before + 1
        mail.puts_off.clear()


def test_who_never_takes_it_is_left_in_time_and_who_refuses_for_good_at_once(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    enter(ledger, incident(ledger), "opened")
    duty = {"duty": by_mail(mail, FIRST, SECOND, THIRD)}
    mail.puts_off = {SECOND: "451 4.7.1 later", THIRD: "451 4.7.1 later"}
    send_due(ledger, duty, NOW)
    mail.puts_off = {SECOND: "451 4.7.1 later"}
    send_due(ledger, duty, NOW + MINUTE)
    assert [who for who, _ in got(mail)] == ["first", "third"]
    for hours in range(1, 26):
        send_due(ledger, duty, NOW + hours * HOUR)
    row = ledger.execute(
        "select last_error, retry_at, sent_at is not null, content ? 'rest' from ops.outbox"
    ).fetchone()
    assert row == ("1 recipients put it off until it was given up.", None, True, False)
    enter(ledger, incident(ledger, "other"), "opened", send_after=NOW + 30 * HOUR)
    send_due(ledger, duty, NOW + 30 * HOUR)
    mail.puts_off = {SECOND: "550 5.1.1 unknown"}
    connections = mail.connections
    for hours in range(31, 40):
        send_due(ledger, duty, NOW + hours * HOUR)
    assert mail.connections == connections + 1
    (seen,) = channels_seen(ledger, DUTY)
    assert "code 550" in seen.words_en


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"AUTH": "535 5.7.8 no"}, "refused the login with code 535"),
        ({"EHLO": "250 receiver"}, "offers no STARTTLS, or no login"),
        ({"MAIL": "550 5.7.1 not allowed"}, "refused it with code 550"),
    ],
)
def test_who_is_put_off_gets_it_when_a_channel_that_refused_for_good_is_mended(
    ledger: psycopg.Connection[Any], mail: MailReceiver, broken: dict[str, str], said: str
) -> None:
    for key in ("airflow_down", "disk_full"):
        enter(ledger, incident(ledger, key), "opened")
    duty = {"duty": replace(by_mail(mail, FIRST, SECOND), user="alerts", password=mail.password)}
    mail.puts_off = {SECOND: "451 4.7.1 greylisted"}
    send_due(ledger, duty, NOW)
    mail.puts_off.clear()
    mail.answers.update(broken)
    before = mail.connections
    assert said in send_due(ledger, duty, NOW + MINUTE).errors["duty"]
    # A login that is refused is not tried once more for each message.
    assert mail.connections == before + 1
    for minutes in range(2, 30):
        send_due(ledger, duty, NOW + minutes * MINUTE)
    assert [who for who, _ in got(mail)] == ["first", "first"]
    mail.answers.clear()
    for minutes in range(30, 40):
        send_due(ledger, duty, NOW + minutes * MINUTE)
    assert [who for who, _ in got(mail)] == ["first", "first", "second", "second"]


def test_who_is_put_off_gets_it_when_the_password_is_set_again(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    enter(ledger, incident(ledger), "opened")
    options = {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "threegaps@example.gov.cn"}
    login = {"user": "alerts", "password_variable": "PASSWORD"}
    settings = ChannelSettings("duty", "mail", {**options, **login, "recipients": [FIRST, SECOND]})
    mail.puts_off = {SECOND: "451 4.7.1 greylisted"}
    send_due(ledger, {"duty": make_channel(settings, {"PASSWORD": mail.password})}, NOW)
    mail.puts_off.clear()
    done = send_due(ledger, {"duty": make_channel(settings, {})}, NOW + MINUTE)
    assert "PASSWORD is not set" in done.errors["duty"]
    for minutes in range(2, 12):
        send_due(ledger, {"duty": make_channel(settings, {"PASSWORD": mail.password})}, NOW + minutes * MINUTE)
    assert [who for who, _ in got(mail)] == ["first", "second"]


def test_who_is_held_gets_it_although_it_counts_as_sent_to_the_others(
    ledger: psycopg.Connection[Any], mail: MailReceiver
) -> None:
    number = incident(ledger)
    opened = f"<{enter(ledger, number, 'opened')}>"
    mail.puts_off = {SECOND: "451 4.7.1 greylisted"}
    duty = {"duty": by_mail(mail, FIRST, SECOND)}
    send_due(ledger, duty, NOW)
    closed = f"<{enter(ledger, number, 'closed')}>"
    mail.drops_after_text = True
    for minutes in range(1, 40):
        send_due(ledger, duty, NOW + minutes * MINUTE)
    # Of neither try can anybody say whether it was taken.
    assert got(mail) == [("first", opened), ("first", closed), ("first", closed)]
    mail.puts_off.clear()
    mail.drops_after_text = False
    for minutes in range(40, 60):
        send_due(ledger, duty, NOW + minutes * MINUTE)
    assert got(mail)[3:] == [("second", opened), ("second", closed)]


# ---- clocks, and what counts as sent --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
def test_a_robot_that_answers_without_a_code_is_asked_twice_and_no_more(
    ledger: psycopg.Connection[Any], web: WebReceiver, kind: str
) -> None:
    web.answer = Answer(200, b'{"status": 1}')
    target = Target(web.url("/robot"))
    robots: dict[str, Channel] = {
        "dingtalk": DingTalk("duty", "token", None, target),
        "wecom": WeCom("duty", "key", target=target),
    }
    enter(ledger, incident(ledger), "opened")
    for minutes in range(0, 24 * 60, 5):
        send_due(ledger, {"duty": robots[kind]}, NOW + minutes * MINUTE)
    assert len(web.requests) == 2
    assert states(ledger) == [("opened", "sent")]
    (seen,) = channels_seen(ledger, DUTY)
    assert "without an errcode" in seen.words_en
