"""Every column of every table, marked: does it say something of a person? One table; a test holds it to the schema.

* `personal`: about somebody whom the row leads to. All of it stands in what they are shown of themselves, and erasing
  them empties it or cuts the way to them.
* `hidden`: about somebody, and a key: said to be kept, shown to nobody.
* `words`: written to be published, or about the work. People may be named in it, and nothing leads from a person to
  it: a take-down removes such words.
* `plain`: ids, states, moments, numbers, settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """The columns of one table, by what they say."""

    personal: str = ""
    plain: str = ""
    words: str = ""
    hidden: str = ""

    def names(self, mark: str) -> tuple[str, ...]:
        """The columns with this mark, as a tuple."""
        return tuple(str(getattr(self, mark)).split())


COLUMNS: Mapping[str, Marks] = {
    "account": Marks(
        personal="email email_key name tf_phone_number last_sign_in_at sign_ins",
        hidden="password fs_uniquifier tf_totp_secret mf_recovery_codes",
        plain="id active tf_primary_method tf_last_step created_at",
    ),
    "activity": Marks(
        personal="actor_name",
        words="detail",
        plain="id at action actor_id list_id issue_id subject_type subject_id",
    ),
    "address_change": Marks(
        personal="old_address old_key new_address new_key",
        hidden="link_hash",
        plain="id public_id subscriber_id created_at expires_at confirmed_at replaced_at undone_at",
    ),
    "address_proof": Marks(
        personal="address address_key",
        hidden="code_hash public_id",
        plain="id purpose contributor_id contribution_id tries created_at expires_at used_at revoked_at",
    ),
    "agency": Marks(plain="id public_id name name_key list_id created_at ended_at"),
    "agency_answer": Marks(personal="contributor_id account_id", plain="agency_id issue_id nothing_at"),
    "approval": Marks(
        personal="approver_name comment",
        words="override_reason void_reason",
        plain="id issue_id rendition_id approver_id own_work at voided_at",
    ),
    "audience": Marks(plain="id list_id name conditions created_at created_by_id ended_at"),
    "block": Marks(
        words="data diary audience_note",
        plain="id issue_id position kind version schema_version continues where language contribution_id deleted_at"
        " updated_at updated_by_id",
    ),
    "block_revision": Marks(words="data", plain="block_id version at actor_id"),
    "book_entry": Marks(
        personal="name data",
        words="end_reason",
        plain="id list_id kind created_at created_by_id ended_at",
    ),
    "bulk_action": Marks(
        words="asked", plain="id account_id list_id kind number undo at undone_at state counts finished_at"
    ),
    "bulk_member": Marks(plain="action_id subscriber_id outcome before"),
    "cadence_rule": Marks(
        plain="list_id send_rule send_time deadline_rule deadline_time approval_days_before reminder_days region naming"
        " updated_at updated_by_id"
    ),
    "chase": Marks(personal="address_key", plain="id issue_id kind occasion deadline_version at"),
    "check_pass": Marks(plain="id issue_id code text_hash actor_id at"),
    "comment": Marks(
        personal="author_name body",
        plain="id issue_id block_id contribution_id author_id share_id at resolved_at resolved_by_id",
    ),
    "consent": Marks(
        personal="event at asked_at wording privacy_version route source network note",
        hidden="salt digest",
        plain="id subscription_id wording_id actor_id",
    ),
    "consent_seal": Marks(plain="id first_id last_id rows chain at"),
    "consent_wording": Marks(plain="id list_id version text language published_at"),
    "contribution": Marks(
        personal="contact_name contact_address contact_phone decision_note withdrawal_words suggested title body data"
        " agency pictures",
        plain="id public_id reference issue_id state late in_grace opened_at created_at submitted_at decided_at"
        " decided_by_id contributor_id agency_id source inbound_id kind revision updated_at declared_at proved_at"
        " prove_by edit_until merged_into_id withdrawn_at withdrawal_asked_at confirm_by confirm_version confirmed_at"
        " outcome_notice_id",
    ),
    "contribution_revision": Marks(personal="title data body", plain="id contribution_id revision state kind at"),
    "contributor": Marks(
        personal="address address_key name phone asked_words lead agency_id",
        plain="id public_id created_at invited_at invited_by_id approved_at proved_at ended_at",
    ),
    "contributor_answer": Marks(personal="contributor_id account_id nothing_at", plain="issue_id"),
    "contributor_session": Marks(
        personal="user_agent", hidden="id_hash", plain="contributor_id created_at ends_at revoked_at"
    ),
    "correction": Marks(words="body", plain="id issue_id block_id at actor_id withdrawn_at"),
    "data_complaint": Marks(
        personal="name address words answer",
        plain="id public_id reference received_at acknowledge_by acknowledged_at answered_at answered_by_id",
    ),
    "delivery": Marks(
        personal="state reply code enhanced skip_reason updated_at",
        plain="id issue_id subscription_id attempts owner retry_at first_tried_at decided_at",
    ),
    "delivery_progress": Marks(plain="issue_id slot state number"),
    "delivery_tally": Marks(plain="issue_id state number"),
    "draft_share": Marks(
        words="for_whom",
        hidden="public_id",
        plain="id issue_id may_comment created_at created_by_id expires_at revoked_at",
    ),
    "examination": Marks(plain="id at worst findings"),
    "extension": Marks(
        personal="reason note",
        plain="id public_id issue_id contributor_id agency_id contribution_id state asked_at decided_at decided_by_id"
        " used_at deadline_date deadline_time deadline_zone deadline_at",
    ),
    "feedback": Marks(
        personal="kind at enhanced reply reporter suppressed",
        plain="id subscription_id issue_id delivery_id inbound_id",
    ),
    "follow_up": Marks(
        words="heading data note",
        plain="id list_id issue_id block_id kind state not_before_issue_id at created_by_id decided_at",
    ),
    "governance_version": Marks(words="text", plain="kind version published_at published_by_id"),
    "identity": Marks(personal="issuer subject linked_at used_at", plain="id account_id"),
    "import_run": Marks(
        words="source basis_note problem",
        plain="id public_id list_id account_id state file_name mapping ask_them rows done_rows counts created_at"
        " started_at finished_at",
    ),
    "inbound_message": Marks(personal="subject note raw", plain="id digest source received_at state kind"),
    "invitation": Marks(
        personal="email role",
        hidden="nonce_hash",
        plain="id purpose list_id invited_by_id account_id created_at expires_at accepted_at revoked_at",
    ),
    "issue": Marks(
        words="title subject preheader pause_reason cancel_reason",
        plain="id list_id slug state language content_version planned_at approval_on planned_key number has_call"
        " call_opened_at deadline_version next_issue_id scheduled_at scheduled_by_id started_at published_at paused_at"
        " sent_at cancelled_at recipients archive_only rendition_id created_at created_by_id deadline_date"
        " deadline_time deadline_zone deadline_at",
    ),
    "issue_audience": Marks(plain="issue_id audience_id name conditions at"),
    "issue_report": Marks(plain="issue_id made_at aggregated_at data"),
    "issue_version": Marks(words="reason subject preheader", plain="id issue_id number at actor_id"),
    "issue_version_block": Marks(plain="issue_version_id position block_id block_version"),
    "lease": Marks(plain="name holder term counts_from ends taken_at"),
    "limit_counter": Marks(plain="key ends_at count"),
    "link_check": Marks(plain="url_hash url state detail checked_at"),
    "mail_domain": Marks(plain="domain takes_mail looked_at"),
    "mail_source": Marks(plain="name looked_at worked_at problem"),
    "mailbox_message": Marks(personal="sender recipient subject source", plain="id at issue_id"),
    "mailing_list": Marks(
        plain="id slug name strapline frequency language timezone cadence lawful_basis sender_name sender_address"
        " contact_address accent logo_id why public four_eyes needs_approval requires_help_line uses_agencies"
        " contribution_words created_at"
    ),
    "media": Marks(
        words="body", plain="id name content_type width height size sha256 created_at deleted_at created_by_id"
    ),
    "membership": Marks(personal="role", plain="id account_id list_id created_at"),
    "notice": Marks(
        personal="address address_key values reply template",
        hidden="nonce",
        plain="id template_version list_id issue_id message_id state priority attempts next_attempt_at created_at"
        " accepted_at claimed_by claim_ends_at unsure_at",
    ),
    "operation_total": Marks(plain="name label number total latest at said"),
    "organisation": Marks(plain="id name address email phone sending_mode demo created_at restored_at backup_made_at"),
    "presence": Marks(personal="seen_at", plain="issue_id account_id block_id"),
    "privacy_notice": Marks(plain="version text published_at"),
    "process_sign": Marks(plain="worker_id version seen_at disk_free clock_ahead"),
    "read_document": Marks(words="name data", plain="id public_id issue_id account_id day at"),
    "relay_pace": Marks(plain="relay boot_id at tokens used"),
    "rendition": Marks(
        words="subject headers html text web",
        plain="id issue_id content_version media audience content_hash created_at",
    ),
    "schema_part": Marks(plain="part version oldest_code at"),
    "renewal": Marks(personal="state asked_at reminded_at ended_at", plain="id public_id subscription_id notice_id"),
    "renewal_rule": Marks(words="off_reason", plain="list_id months decided_at decided_by_id"),
    "sealed_copy": Marks(words="body", plain="id rendition_id take_down_id content_hash at"),
    "sector": Marks(plain="slug name position ended_at"),
    "sign_up": Marks(
        personal="address address_key name organisation source network sector privacy_version",
        plain="id public_id reminded_at created_at expires_at confirmed_at replaced_at",
    ),
    "sign_up_choice": Marks(plain="sign_up_id list_id wording_id"),
    "slug_redirect": Marks(plain="slug issue_id"),
    "subscriber": Marks(personal="address address_key name organisation sector created_at", plain="id public_id"),
    "subscriber_export": Marks(
        words="whom reason", plain="id reference at account_id list_id door columns number handed complete"
    ),
    "subscriber_word": Marks(hidden="word", plain="subscriber_id"),
    "subscription": Marks(
        personal="state joined_at left_at paused_until source left_reason left_words renewed_at",
        plain="id public_id subscriber_id list_id",
    ),
    "suppression": Marks(personal="reason note at lifted_at lift_reason", hidden="address_hash", plain="id actor_id"),
    "take_down": Marks(plain="id public_id at account_id reason digest places"),
    "test_address": Marks(personal="address address_key note", plain="id list_id added_at added_by_id"),
    "test_send": Marks(personal="address", plain="id issue_id content_version notice_id actor_id at"),
    "trouble": Marks(plain="id kind subject said began_at seen_at told_at ended_at"),
    "views_answer": Marks(personal="body name organisation address", hidden="form_key", plain="id page_id in_grace at"),
    "views_page": Marks(
        words="question explanation",
        plain="id public_id issue_id block_id anonymous created_at created_by_id closed_early_at purged_at answered"
        " deadline_date deadline_time deadline_zone deadline_at",
    ),
    "web_session": Marks(
        personal="user_agent", hidden="id_hash data", plain="account_id created_at idle_end absolute_end revoked_at"
    ),
    "words_wanted": Marks(plain="id first_id last_id"),
    "worker": Marks(plain="id part host boot_id pid_namespace pid process_start started_at beat wire_log ended_at"),
}
