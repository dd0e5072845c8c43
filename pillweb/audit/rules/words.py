"""What each entry says to a family: one whole sentence for each act.

An act without words fails the tests: `tests/audit/test_words.py`.
"""

from collections.abc import Mapping

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.visits import ACCOUNT, COMMAND, JOB, LINK, TABLET

SAW_TODAY = gettext_noop("%(who)s looked at the doses of the day.")
SAW_CALENDAR = gettext_noop("%(who)s looked at the calendar.")
SAW_MEDICINES = gettext_noop("%(who)s looked at the medicines.")
SAW_SUPPLY = gettext_noop("%(who)s looked at how much medicine is left.")
SAW_CONTACTS = gettext_noop("%(who)s looked at where reminders go.")
SAW_SHARING = gettext_noop("%(who)s looked at who has access.")
SAW_MESSAGES = gettext_noop("%(who)s looked at the messages that were sent.")
SAW_REPORTS = gettext_noop("%(who)s looked at a report.")
SAW_PAPERS = gettext_noop("%(who)s looked at a paper to print.")
SAW_FEEDS = gettext_noop("%(who)s looked at the private calendars.")
SAW_TIMES = gettext_noop("%(who)s looked at meals and journeys.")
SAW_SET_UP = gettext_noop("%(who)s looked at the set-up.")
SAW_RECORD = gettext_noop("%(who)s looked at this list.")
TOOK_FILE = gettext_noop("%(who)s saved the medicines as a file.")
SAW_EXPORT = gettext_noop("%(who)s looked at the files of everything.")
TOOK_OUT = gettext_noop("%(who)s saved everything as a file.")
OPENED_LINK = gettext_noop("%(who)s opened a shared link.")
RECORDED = gettext_noop("%(who)s recorded a dose.")
RECORDED_SKIP = gettext_noop("%(who)s recorded a dose as not taken.")
TOOK_BACK = gettext_noop("%(who)s took back what was recorded.")
PUT_OFF = gettext_noop("%(who)s put off a reminder.")
ANSWERED = gettext_noop("%(who)s answered a reminder.")
SEES_TO_IT = gettext_noop("%(who)s said that they see to it.")
CHANGED_MEDICINES = gettext_noop("%(who)s changed the medicines.")
CHANGED_SUPPLY = gettext_noop("%(who)s changed how much medicine is left.")
CHANGED_CONTACTS = gettext_noop("%(who)s changed where reminders go.")
CHANGED_TELLING = gettext_noop("%(who)s changed who is told what.")
CHANGED_SHARING = gettext_noop("%(who)s changed who has access.")
CHANGED_HIDING = gettext_noop("%(who)s chose who sees a medicine.")
CHANGED_TABLETS = gettext_noop("%(who)s changed the tablets.")
CONNECTED = gettext_noop("%(who)s connected a tablet.")
OPENED_TABLET = gettext_noop("%(who)s pressed the picture.")
ASKED = gettext_noop("%(who)s asked for access.")
ACCEPTED = gettext_noop("%(who)s accepted an invitation.")
DECLINED = gettext_noop("%(who)s said no to an invitation.")
CHANGED_REPORTS = gettext_noop("%(who)s changed who gets reports.")
WANTED_REPORT = gettext_noop("%(who)s asked for a report to be sent.")
SENT_REPORT = gettext_noop("%(who)s sent a report to a doctor.")
MADE_PAPER = gettext_noop("%(who)s made a paper to print.")
ENDED_PAPERS = gettext_noop("%(who)s stopped the codes on papers.")
CHANGED_FEEDS = gettext_noop("%(who)s changed the private calendars.")
CHANGED_TIMES = gettext_noop("%(who)s changed meals or journeys.")
CHANGED_SET_UP = gettext_noop("%(who)s went on with the set-up.")
LETS_IN = gettext_noop("%(who)s began to let somebody in again.")
MADE_CODE = gettext_noop("%(who)s got a code to let somebody in again.")
AGREED = gettext_noop("%(who)s said yes to being let in again.")
STOPPED = gettext_noop("%(who)s stopped somebody from being let in again.")
USED_CODE = gettext_noop("%(who)s used the code of a helper.")
IS_IN = gettext_noop("%(who)s is in again, with the help of somebody.")
ADDED_PERSON = gettext_noop("%(who)s added this person.")
WANTED_FILE = gettext_noop("%(who)s asked for everything as a file.")
MADE_FILE = gettext_noop("%(who)s made a file of everything.")
BROUGHT_IN = gettext_noop("%(who)s brought this person in from elsewhere.")
STOPPED_SHARING = gettext_noop("%(who)s stopped all sharing for now.")
SHARED_AGAIN = gettext_noop("%(who)s began to share again.")
SAID_AGREED = gettext_noop("%(who)s wrote down what was agreed to.")
LEFT = gettext_noop("%(who)s asked that all of this is deleted.")
LEFT_HELPING = gettext_noop("%(who)s asked that their account is deleted.")
STAYED = gettext_noop("%(who)s took back that all of this is deleted.")
ERASED = gettext_noop("%(who)s deleted all of this.")
PUT_BACK = gettext_noop("%(who)s put everything back from an older copy.")
SAW_FORM = gettext_noop("%(who)s looked at a form, and changed nothing.")
ENDED_ACCESS = gettext_noop("%(who)s ended access whose time was over.")
# An act of an older version of PillWeb.
OTHER = gettext_noop("%(who)s did something.")

# After a change that was not accepted: its page was shown once more.
NOT_DONE = "!"
LOOKS: Mapping[str, str] = {
    "doses.show_today": SAW_TODAY,
    "doses.show_shared_today": SAW_TODAY,
    "doses.show_day": SAW_TODAY,
    "sync.show_sent": SAW_TODAY,
    "sync.show_moments": SAW_TODAY,
    "intakes.show_again": SAW_TODAY,
    "intakes.show_amount": SAW_TODAY,
    "intakes.show_missed": SAW_TODAY,
    "intakes.show_intake": SAW_TODAY,
    "intakes.show_too_much": SAW_TODAY,
    "skips.show_skip": SAW_TODAY,
    "later.show_later": SAW_TODAY,
    "adherence.show_calendar": SAW_CALENDAR,
    "adherence.show_shared_calendar": SAW_CALENDAR,
    "schedules.show_medicines": SAW_MEDICINES,
    "schedules.show_edit": SAW_MEDICINES,
    "changes.show_history": SAW_MEDICINES,
    "changes.show_pause": SAW_MEDICINES,
    "changes.show_stop": SAW_MEDICINES,
    "checks.show_check": SAW_MEDICINES,
    "drafts.show_new": SAW_MEDICINES,
    "drafts.show_question": SAW_MEDICINES,
    "imports.show_import": SAW_MEDICINES,
    "ladders.show_ladder": SAW_MEDICINES,
    "hiding.show_hidden": SAW_MEDICINES,
    "medicine_looks.show_looks_page": SAW_MEDICINES,
    "medicine_looks.show_picture": SAW_MEDICINES,
    "medicine_looks.show_shared_picture": SAW_MEDICINES,
    "plan_file.show_plan_file": TOOK_FILE,
    "supply.show_supplies": SAW_SUPPLY,
    "supply.show_supply": SAW_SUPPLY,
    "supply.show_packing": SAW_SUPPLY,
    "supply_changes.show_received": SAW_SUPPLY,
    "supply_changes.show_counted": SAW_SUPPLY,
    "supply_changes.show_gone": SAW_SUPPLY,
    "supply_changes.show_refill": SAW_SUPPLY,
    "contacts.show_contacts": SAW_CONTACTS,
    "contacts.show_channels": SAW_CONTACTS,
    "contacts.show_new_contact": SAW_CONTACTS,
    "contacts.show_removal": SAW_CONTACTS,
    "wishes.show_wishes": SAW_CONTACTS,
    "access.show_access_list": SAW_SHARING,
    "asking.show_request": SAW_SHARING,
    "inviting.show_invite": SAW_SHARING,
    "people.show_access": SAW_SHARING,
    "sharing.show_new_link": SAW_SHARING,
    "sharing.show_openings": SAW_SHARING,
    "helpers.show_helper": SAW_SHARING,
    "tablets.show_tablets": SAW_SHARING,
    "tablets.show_offer": SAW_SHARING,
    "tablets.show_one": SAW_SHARING,
    "tablets.show_pin": SAW_SHARING,
    "tablets.show_photo_page": SAW_SHARING,
    "tablets.show_photo": SAW_SHARING,
    "trail.show_messages": SAW_MESSAGES,
    "reports.show_reports": SAW_REPORTS,
    "reports.show_report": SAW_REPORTS,
    "reports.show_pdf": SAW_REPORTS,
    "papers.show_week": SAW_PAPERS,
    "papers.show_card": SAW_PAPERS,
    "papers.show_paper": SAW_PAPERS,
    "papers.show_file": SAW_PAPERS,
    "taking.show_export": SAW_EXPORT,
    "taking.show_file": TOOK_OUT,
    "taking.show_before": SAW_RECORD,
    "feeds.show_feeds": SAW_FEEDS,
    "times.show_meals": SAW_TIMES,
    "times.show_travel": SAW_TIMES,
    "set_up.show_set_up": SAW_SET_UP,
    "set_up.show_step": SAW_SET_UP,
    "audit.show_access": SAW_RECORD,
    "agreeing.show_agreed": SAW_SHARING,
    "keeping_in.show_keep_in": SAW_SHARING,
    "keeping_in.show_made": SAW_SHARING,
    "leaving.show_leave": SAW_SHARING,
    "leaving.show_leaving": SAW_SHARING,
}
# What leaves as a file is told of the patient too.
FILES = frozenset(
    {
        "plan_file.show_plan_file",
        "reports.show_pdf",
        "papers.show_file",
        "taking.show_file",
    }
)
# What a patient does for themselves alone: told to nobody else.
OWN = frozenset({"hiding.post_hidden"})
CHANGES: Mapping[str, str] = {
    "doses.post_take": RECORDED,
    "doses.post_take_all": RECORDED,
    "intakes.post_again": RECORDED,
    "intakes.post_amount": RECORDED,
    "intakes.post_intake": RECORDED,
    "sync.post_replay": RECORDED,
    "codes.post_code": RECORDED,
    "alerts.post_taken": RECORDED,
    "skips.post_skip": RECORDED_SKIP,
    "doses.post_undo": TOOK_BACK,
    "doses.post_undo_all": TOOK_BACK,
    "intakes.post_undo_intake": TOOK_BACK,
    "codes.post_undo": TOOK_BACK,
    "later.post_later": PUT_OFF,
    "answers.post_link": RECORDED,
    "answers.post_not_taking": RECORDED_SKIP,
    "answers.post_undo": TOOK_BACK,
    "answers.post_in_ten_minutes": PUT_OFF,
    "direct_answers.post_direct": ANSWERED,
    "hooks.post_sms": ANSWERED,
    "hooks.post_voice": ANSWERED,
    "alerts.post_seen_to": SEES_TO_IT,
    "schedules.post_edit": CHANGED_MEDICINES,
    "changes.post_pause": CHANGED_MEDICINES,
    "changes.post_resume": CHANGED_MEDICINES,
    "changes.post_stop": CHANGED_MEDICINES,
    "checks.post_check": CHANGED_MEDICINES,
    "drafts.post_change": CHANGED_MEDICINES,
    "drafts.post_new": CHANGED_MEDICINES,
    "drafts.post_part": CHANGED_MEDICINES,
    "drafts.post_question": CHANGED_MEDICINES,
    "drafts.post_remove_part": CHANGED_MEDICINES,
    "drafts.post_throw_away": CHANGED_MEDICINES,
    "imports.post_belongs": CHANGED_MEDICINES,
    "imports.post_import": CHANGED_MEDICINES,
    "ladders.post_ladder": CHANGED_MEDICINES,
    "ladders.post_usual": CHANGED_MEDICINES,
    "hiding.post_hidden": CHANGED_HIDING,
    "medicine_looks.post_looks": CHANGED_MEDICINES,
    "medicine_looks.post_crop": CHANGED_MEDICINES,
    "medicine_looks.post_remove_picture": CHANGED_MEDICINES,
    "supply_changes.post_received": CHANGED_SUPPLY,
    "supply_changes.post_counted": CHANGED_SUPPLY,
    "supply_changes.post_gone": CHANGED_SUPPLY,
    "supply_changes.post_refill": CHANGED_SUPPLY,
    "contacts.post_new_contact": CHANGED_CONTACTS,
    "contacts.post_contact_test": CHANGED_CONTACTS,
    "contacts.post_first": CHANGED_CONTACTS,
    "contacts.post_removal": CHANGED_CONTACTS,
    "contact_tests.post_contact_test": CHANGED_CONTACTS,
    "stops.post_stop": CHANGED_CONTACTS,
    "stops.post_start": CHANGED_CONTACTS,
    "wishes.post_wishes": CHANGED_CONTACTS,
    "helpers.post_helper": CHANGED_TELLING,
    "sharing.post_link": CHANGED_SHARING,
    "sharing.post_revoke": CHANGED_SHARING,
    "sharing.post_revoke_all": CHANGED_SHARING,
    "people.post_access": CHANGED_SHARING,
    "people.post_stop_access": CHANGED_SHARING,
    "inviting.post_invite": CHANGED_SHARING,
    "inviting.post_take_back": CHANGED_SHARING,
    "asking.post_code": CHANGED_SHARING,
    "asking.post_stop_code": CHANGED_SHARING,
    "asking.post_request": CHANGED_SHARING,
    "asking.post_decline_request": CHANGED_SHARING,
    "tablets.post_offer": CHANGED_TABLETS,
    "tablets.post_name": CHANGED_TABLETS,
    "tablets.post_pin": CHANGED_TABLETS,
    "tablets.post_end": CHANGED_TABLETS,
    "tablets.post_photo": CHANGED_TABLETS,
    "tablets.post_remove_photo": CHANGED_TABLETS,
    "faces.post_leave": CHANGED_TABLETS,
    "faces.post_face": OPENED_TABLET,
    "connecting.post_pair": CONNECTED,
    "connecting.post_offer_here": CONNECTED,
    "asking.post_ask": ASKED,
    "invited.post_accept": ACCEPTED,
    "invited.post_decline": DECLINED,
    "openings.post_share": OPENED_LINK,
    "agreeing.post_agreed": SAID_AGREED,
    "keeping_in.post_keep_in": STOPPED_SHARING,
    "keeping_in.post_share_again": SHARED_AGAIN,
    "keeping_in.post_made": CHANGED_SHARING,
    "leaving.post_leave": LEFT,
    "leaving.post_stay": STAYED,
    "own_leaving.post_leave_account": LEFT_HELPING,
    "own_leaving.post_stay_account": CHANGED_SHARING,
    "jobs.erase": ERASED,
    "jobs.look_after_access": ENDED_ACCESS,
    "reports.post_order": CHANGED_REPORTS,
    "reports.post_end": CHANGED_REPORTS,
    "reports.post_send": WANTED_REPORT,
    "jobs.build_reports": SENT_REPORT,
    "papers.post_week": MADE_PAPER,
    "papers.post_card": MADE_PAPER,
    "papers.post_void": ENDED_PAPERS,
    "taking.post_export": WANTED_FILE,
    "jobs.take_out": MADE_FILE,
    "jobs.bring_in": BROUGHT_IN,
    "feeds.post_feed": CHANGED_FEEDS,
    "feeds.post_stop_feed": CHANGED_FEEDS,
    "times.post_meals": CHANGED_TIMES,
    "times.post_travel": CHANGED_TIMES,
    "times.post_cancel": CHANGED_TIMES,
    "set_up.post_set_up": CHANGED_SET_UP,
    "set_up.post_step": CHANGED_SET_UP,
    "set_up.post_test": CHANGED_SET_UP,
    "letting_in.post_start": LETS_IN,
    "letting_in.post_code": MADE_CODE,
    "letting_in.post_stop": STOPPED,
    "letting_in.post_stop_own": STOPPED,
    "let_in_notices.post_yes": AGREED,
    "let_in_notices.post_stop": STOPPED,
    "own_address.post_address_code": CHANGED_CONTACTS,
    "not_me.post_not_me": CHANGED_CONTACTS,
    "helped.post_helped": USED_CODE,
    "helped.post_link": USED_CODE,
    "helped.post_end": IS_IN,
    "home.post_new_person": ADDED_PERSON,
    "commands.restored": PUT_BACK,
}


def act_words(act: str, who: str) -> str:
    """Say in one sentence what somebody did."""
    if act.endswith(NOT_DONE):
        return _(SAW_FORM, who=who)
    return _(LOOKS.get(act) or CHANGES.get(act, OTHER), who=who)


def who_words(
    by: str,
    *,
    account_id: int | None,
    name: str | None,
    label: str | None,
    patient_name: str,
) -> str:
    """Say who it was; `name` and `label` are of the account and of the link, if known.

    Who answered a message to the patient is the patient, as far as anybody knows; of a
    tablet `label` is what their side calls it.
    """
    if by == JOB:
        return "PillWeb"
    if by == COMMAND:
        return _("Whoever runs PillWeb")
    if by == LINK:
        if label is None:
            return _("Somebody with a link that is gone")
        return _("Somebody with the link “%(label)s”", label=label)
    if by == ACCOUNT or account_id is not None:
        return name or _("Somebody who has no account any more")
    return _on_tablet(patient_name, label) if by == TABLET else patient_name


def _on_tablet(name: str, label: str | None) -> str:
    if label is None:
        return name
    return _("%(name)s on the tablet “%(label)s”", name=name, label=label)
