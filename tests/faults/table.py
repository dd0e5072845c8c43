"""The 26 faults, in one place: what is done, what must hold, and where it is tried.

Numbers are those of `docs/reliability.md`. Beside what is said here nothing may be lost
(`checks.assert_nothing_lost`).
"""

from typing import NamedTuple

HERE = "tests/faults"
KILLS, REDIS = f"{HERE}/test_kills.py", f"{HERE}/test_redis.py"
DATABASE, PROVIDERS = f"{HERE}/test_database.py", f"{HERE}/test_providers.py"
CLOCKS, RACES = f"{HERE}/test_clocks.py", f"{HERE}/test_races.py"
OUTAGE, STORMS = f"{HERE}/test_outage.py", f"{HERE}/test_storms.py"
LONG = f"{HERE}/long/test_storm.py"
WATCH, HOOKS = "tests/watch", "tests/hooks/test_arrivals.py"


class Fault(NamedTuple):
    """One fault: what is done and what must hold; tests as path::name."""

    number: int
    words: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        1,
        "A worker is killed alone while a provider is slow: its child finishes, once.",
        (f"{KILLS}::test_a_worker_killed_alone_leaves_a_child_that_finishes",),
    ),
    Fault(
        2,
        "All is killed between the provider's accept and our commit: sent again under "
        "the same name, and the first attempt stays open.",
        (
            (
                f"{KILLS}::test_killed_between_the_accept_and_the_commit_it_is_sent_again_"
                "under_its_name"
            ),
        ),
    ),
    Fault(
        3,
        "All is killed after the claim: claimed again when the lease ends, sent once.",
        (
            (
                f"{KILLS}::test_a_worker_killed_in_the_middle_of_a_send_loses_and_repeats_"
                "nothing"
            ),
            f"{KILLS}::test_a_horse_killed_alone_costs_its_worker_nothing",
        ),
    ),
    Fault(
        4,
        "Redis forgets everything again and again.",
        (
            f"{REDIS}::test_what_redis_forgets_again_and_again_still_leaves_once",
            f"{LONG}::test_a_redis_that_forgets_for_a_minute",
        ),
    ),
    Fault(
        5,
        "Redis dies and comes back empty; Redis hangs: pages wait for nothing.",
        (
            (
                f"{REDIS}::test_when_redis_dies_the_clock_sends_and_when_it_is_back_the_"
                "worker_does"
            ),
            f"{REDIS}::test_no_page_waits_for_a_redis_that_hangs",
        ),
    ),
    Fault(
        6,
        "Postgres crashes three times; the SQLite file is locked: 503 with "
        "Retry-After, and all heals by itself.",
        (
            f"{DATABASE}::test_processes_outlive_three_crashes_of_postgres",
            (
                f"{DATABASE}::test_pages_say_that_the_database_is_away_and_work_again_by_"
                "themselves"
            ),
            (
                f"{DATABASE}::test_a_locked_file_is_told_and_nothing_is_claimed_to_be_"
                "recorded"
            ),
        ),
    ),
    Fault(
        7,
        "Mail is refused for an hour: other channels, then one message of what was "
        "late; the mail server is let alone.",
        (
            (
                f"{PROVIDERS}::test_an_hour_without_mail_goes_round_and_ends_without_a_late_"
                "take_it_now"
            ),
            (
                f"{WATCH}/test_late.py::test_a_mail_server_that_is_down_for_hours_ends_in_"
                "one_message"
            ),
        ),
    ),
    Fault(
        8,
        "The mail server hangs: push goes on, a send ends within its limit.",
        (
            f"{PROVIDERS}::test_a_mail_server_that_hangs_holds_up_no_push",
            (
                "tests/channels/test_email.py::test_a_deaf_server_costs_its_time_and_no_"
                "more"
            ),
        ),
    ),
    Fault(
        9,
        "A worker's clock is two hours wrong: no effect (Postgres; with SQLite the "
        "host's clock is the database's). The database's clock jumps: it is told, and "
        "for ten minutes all go on by the time before, so that nothing leaves early.",
        (
            f"{CLOCKS}::test_a_worker_whose_clock_is_wrong_sends_on_time",
            (
                f"{WATCH}/test_incidents.py::test_a_clock_that_jumps_is_told_and_not_"
                "believed_for_ten_minutes"
            ),
            (
                f"{CLOCKS}::test_a_database_clock_that_jumps_is_told_and_nothing_leaves_"
                "early"
            ),
        ),
    ),
    Fault(
        10,
        "Five clocks and five planners at once, again and again: the rows of one.",
        (
            f"{RACES}::test_five_clocks_and_five_planners_make_the_rows_of_one",
            f"{RACES}::test_a_dose_is_asked_for_once_however_late_its_plan_was_made",
            f"{KILLS}::test_two_clocks_and_two_workers_say_everything_once",
        ),
    ),
    Fault(
        11,
        "A deploy ends the whole group in mid-send while the new version starts.",
        (f"{KILLS}::test_what_a_deploy_cuts_off_is_finished_by_the_new_version",),
    ),
    Fault(
        12,
        "Poison: what cannot be worded or read, kills its sender, or has no channel: "
        "dead with its reason, its neighbours sent.",
        (
            (
                f"{KILLS}::test_a_message_that_kills_its_sender_dies_after_three_and_stops_"
                "nobody"
            ),
            "tests/jobs/test_deliver.py::test_a_row_that_cannot_be_worded_dies_alone",
            (
                "tests/jobs/test_deliver.py::test_a_row_that_cannot_be_read_waits_alone_and_"
                "dies_when_it_is_too_late"
            ),
            (
                "tests/jobs/test_apart.py::test_whoever_cannot_be_reminded_is_passed_over_"
                "and_shown"
            ),
            (
                "tests/jobs/test_providers.py::test_a_channel_that_is_unknown_or_off_leaves_"
                "dead_letters_with_their_reason"
            ),
        ),
    ),
    Fault(
        13,
        "Push answers 410, 404, 500, 429, or takes and never shows.",
        (
            (
                f"{PROVIDERS}::test_a_browser_that_is_gone_is_told_by_another_channel_at_"
                "once"
            ),
            f"{PROVIDERS}::test_a_push_service_that_is_ill_unsubscribes_nobody",
            (
                f"{PROVIDERS}::test_a_push_service_that_asks_for_a_pause_is_left_alone_so_"
                "long"
            ),
            (
                f"{HOOKS}::test_a_browser_that_shows_three_pushes_no_more_fails_until_one_"
                "is_seen"
            ),
        ),
    ),
    Fault(
        14,
        "Bounces that are final, passing, forged or old: only the first closes an "
        "address.",
        (f"{HOOKS}::test_only_a_fresh_genuine_dead_address_is_gone",),
    ),
    Fault(
        15,
        "Everything stands still for six hours: one message that warns of doubling, "
        'the doses are our fault, nobody hears "missed".',
        (
            (
                f"{OUTAGE}::test_six_hours_of_standstill_end_in_one_message_that_warns_of_"
                "doubling"
            ),
            (
                f"{WATCH}/test_outage.py::test_an_outage_of_a_morning_is_one_message_each_"
                "and_nobody_missed_anything"
            ),
        ),
    ),
    Fault(
        16,
        '"Taken" races the claim: no call is allowed after it was kept.',
        (
            f"{RACES}::test_nothing_is_sent_of_what_was_recorded_before_it_was_claimed",
            f"{LONG}::test_taken_races_the_claim_five_hundred_times",
        ),
    ),
    Fault(
        17,
        "The plan changes while messages wait or are leased: the old is not sent.",
        (
            f"{RACES}::test_what_waited_when_the_plan_changed_is_not_sent",
            f"{RACES}::test_what_was_leased_when_the_plan_changed_is_not_begun",
        ),
    ),
    Fault(
        18,
        "The disk is full: no success is claimed, nothing breaks, it goes on after.",
        (
            (
                f"{DATABASE}::test_a_full_disk_under_sqlite_is_told_loudly_and_harms_"
                "nothing"
            ),
            (
                f"{DATABASE}::test_a_full_disk_under_postgres_is_told_loudly_and_harms_"
                "nothing"
            ),
        ),
    ),
    Fault(
        19,
        "Clocks change, people travel, a leap day: each local dose is said once.",
        (
            (
                f"{CLOCKS}::test_each_local_dose_is_said_once_through_nights_of_changing_"
                "clocks"
            ),
            f"{CLOCKS}::test_who_travels_hears_of_each_dose_once",
        ),
    ),
    Fault(
        20,
        "Yesterday's backup is put back: nothing past is sent again, links and "
        "sessions of it are dead, and who was erased is erased again.",
        (
            f"{WATCH}/test_restore.py::test_a_patient_who_was_erased_stays_erased",
            (
                f"{WATCH}/test_restoring.py::test_after_a_restore_no_past_reminder_is_sent_"
                "and_one_message_tells_of_them"
            ),
            (
                f"{WATCH}/test_restoring.py::test_after_a_restore_no_link_and_no_session_of_"
                "it_opens_anything"
            ),
        ),
    ),
    Fault(
        21,
        'All connections are in use: 503, never an error; then "Taken" is quick.',
        (
            (
                f"{DATABASE}::test_a_pool_that_is_used_up_is_told_and_leaves_the_quick_page_"
                "its_turn"
            ),
        ),
    ),
    Fault(
        22,
        "Double taps, a replayed queue, two devices: one dose, undone once.",
        (
            f"{RACES}::test_two_devices_ten_presses_each_are_one_dose",
            "tests/sync/test_actions.py::test_the_same_press_ten_times_is_one_event",
            (
                "tests/doses/test_actions.py::test_pressing_at_once_in_many_threads_is_one_"
                "event"
            ),
        ),
    ),
    Fault(
        23,
        "A provider takes and drops: the ping outside stops, an incident opens.",
        (
            (
                f"{WATCH}/test_canaries.py::test_a_provider_that_takes_and_drops_stops_the_"
                "ping_and_is_an_incident"
            ),
        ),
    ),
    Fault(
        24,
        "A storm for one person: one message for what is due together, six a minute "
        "at most, one that tells of the rest.",
        (
            f"{STORMS}::test_four_hundred_doses_at_once_are_one_message",
            f"{STORMS}::test_a_dose_every_minute_is_gathered_and_never_more_than_the_cap",
            (
                f"{STORMS}::test_sixty_escalations_at_once_are_six_and_one_that_tells_of_"
                "the_rest"
            ),
            (
                "tests/reminders/test_storms.py::test_six_alerts_leave_and_one_message_"
                "tells_of_the_rest"
            ),
        ),
    ),
    Fault(
        25,
        "A full Redis: one that may drop keys is refused, one that may not costs "
        "nobody an error.",
        (
            f"{REDIS}::test_a_worker_refuses_a_redis_that_may_drop_bells",
            f"{REDIS}::test_a_full_redis_is_no_reason_for_an_error",
        ),
    ),
    Fault(
        26,
        "A worker is cut off from the database, not from the mail server: it begins "
        "nothing more.",
        (f"{DATABASE}::test_a_worker_cut_off_from_the_database_begins_nothing_more",),
    ),
)
