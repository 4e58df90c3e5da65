"""Staff as the domain knows them: passwords, codes, invitations, roles."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.staff import accounts, invitations, one_time_codes, passwords, second_step, wording
from newsletter.domain.staff.permissions import ROLE_PERMISSIONS, Permission, may, may_anywhere
from newsletter.errors import Conflict, Invalid, TokenError, TokenExpired
from newsletter.models import Account, Activity, Notice
from newsletter.states import Role
from tests import people


class TestPasswords:
    @pytest.mark.parametrize(
        "typed",
        [
            "heron over the millrace",
            "Tr0ub4dor&3-and-more",
            "  a phrase with spaces around  ",
            "пароль длинный и не частый",
            "x" * 3 + "y" * 3 + "z7!" * 2 + "quite long, is it not" * 4,
        ],
    )
    def test_length_is_what_counts(self, typed: str) -> None:
        assert passwords.check(typed) == passwords.normal(typed)

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "eleven char",
            "passwordpassword",
            "Password1234!",
            "p@ssw0rdp@ssw0rd",
            "welcome2026!!!",
            "aaaaaaaaaaaa",
            "abc1abc1abc1",
            "123456789012",
            "qwertyuiopas",
            "1q2w3e4r5t6y",
            "letmein 12345",
            " " * 20,
            "x" * 257,
        ],
    )
    def test_what_everybody_uses_is_refused(self, typed: str) -> None:
        with pytest.raises(Invalid):
            passwords.check(typed)

    def test_what_anybody_knows_of_the_person_is_refused(self) -> None:
        person = ("ruth.adeyemi@example.org", "Ruth Adeyemi", "Larkmere")
        for typed in ("ruthadeyemi2026", "Larkmere-2026", "ruth.adeyemi@example.org"):
            with pytest.raises(Invalid):
                passwords.check(typed, person=person)
        assert passwords.check("Ruth keeps herons and kites", person=person)

    def test_the_hash_is_argon2id_of_the_whole_and_salted(self, app: Flask, now: datetime) -> None:
        long = "a long phrase that goes on " * 9
        people.larkmere(now)
        account = people.staff(now)
        first, second = passwords.hashed(long), passwords.hashed(long)
        account.password = first

        assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert first != second
        assert passwords.proves(account, long)
        assert not passwords.proves(account, long[:-1])
        assert passwords._NOBODYS.split("$")[:4] == first.split("$")[:4]
        db.session.rollback()

    def test_two_ways_to_type_one_character(self, app: Flask) -> None:
        account = Account(password=passwords.hashed(passwords.check("caf\u00e9 by the weir")))

        assert passwords.proves(account, "cafe\u0301 by the weir")


class TestCodes:
    NOW = datetime(2026, 12, 7, 10, 0, 10, tzinfo=UTC)

    def code(self, secret: str, at: datetime) -> str:
        totp = one_time_codes._ours()._totp.from_source(secret)
        return str(totp.generate(int(at.timestamp())).token)

    def test_right_now_and_half_a_minute_off(self, app: Flask) -> None:
        secret = one_time_codes.new_secret()
        for seconds, right in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
            shown = self.code(secret, self.NOW + timedelta(seconds=seconds))
            found = one_time_codes.step_of(shown, secret, None, self.NOW) is not None
            assert found is right, seconds

    def test_no_code_before_one_that_was_used(self, app: Flask) -> None:
        secret = one_time_codes.new_secret()
        shown, later = self.code(secret, self.NOW), self.code(secret, self.NOW + timedelta(seconds=30))
        step = one_time_codes.step_of(shown, secret, None, self.NOW)

        assert step is not None
        assert one_time_codes.step_of(shown, secret, step, self.NOW) is None
        assert one_time_codes.step_of(later, secret, step, self.NOW) == step + 1

    def test_two_who_enter_one_code_at_once(self, app: Flask, now: datetime) -> None:
        """Both read it as right before either has used it; the table lets one in."""
        people.larkmere(now)
        account = people.staff(now)
        let_in = []
        for _try in range(2):
            with transaction():
                let_in.append(one_time_codes.use_step(account, 59_000_000))

        assert let_in == [True, False]

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12 34 5", "１２３４５６", "\x00" * 6])
    def test_what_is_no_code(self, app: Flask, typed: str) -> None:
        assert one_time_codes.step_of(typed, one_time_codes.new_secret(), None, self.NOW) is None

    def test_the_table_holds_neither_secret_nor_codes(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        account, secret, paper = people.staff(now), one_time_codes.new_secret(), one_time_codes.new_paper_codes()
        spelled = one_time_codes.spelled_out(secret).replace(" ", "")
        with transaction():
            second_step.connect_app(
                account,
                secret=secret,
                step=1,
                paper_hashes=one_time_codes.paper_hashes(paper),
                keep=None,
                now=now,
            )
        kept = f"{account.tf_totp_secret} {account.mf_recovery_codes}"

        assert spelled not in kept
        assert not any(code in kept or code.replace("-", "") in kept for code in paper)
        assert len(set(paper)) == 10

    def test_a_secret_of_an_older_key_is_still_read(self, app: Flask) -> None:
        old = one_time_codes.OneTimeCodes(("k" * 40,))
        both = one_time_codes.OneTimeCodes(("k" * 40, "n" * 40))
        secret = old.generate_totp_secret()

        assert both.get_totp_pretty_key(secret) == old.get_totp_pretty_key(secret)
        newest = both.generate_totp_secret()
        with pytest.raises(KeyError):
            old.get_totp_pretty_key(newest)

    def test_a_change_is_told_by_mail(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        account = people.staff(now)
        with transaction():
            second_step.disconnect_app(account, actor=None, now=now)

        assert db.session.scalars(select(Notice.template)).all() == ["account_changed"]


class TestInvitations:
    def test_used_by_two_at_once_it_makes_one_account(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        with transaction():
            _one, token = invitations.invite("ewan@example.org", Role.EDITOR, None, actor=None, now=now, by_mail=False)
        hashed, outcomes = passwords.hashed("heron over the millrace"), []

        def join(name: str) -> None:
            with app.app_context():
                try:
                    invitation = invitations.read(token, invitations.STAFF, now)
                    with transaction():
                        invitations.accept(invitation, name=name, password_hash=hashed, now=now)
                    outcomes.append("joined")
                except TokenExpired:
                    outcomes.append("too late")

        threads = [threading.Thread(target=join, args=(f"Ewan {number}",)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == ["joined"] + ["too late"] * 4
        assert len(accounts.everybody()) == 1

    @given(st.text(max_size=200))
    def test_no_text_is_a_link(self, token: str) -> None:
        from newsletter.tokens import Purpose, Signer

        with pytest.raises(TokenError):
            Signer(("k" * 40,)).read_id(Purpose.INVITATION, token)

    def test_a_link_for_one_thing_is_none_for_another(self, app: Flask, now: datetime) -> None:
        with transaction():
            token = invitations.set_up_link(now)
        with pytest.raises(TokenError):
            invitations.read(token, invitations.STAFF, now)

    def test_a_password_link_ends_every_session_and_works_for_an_hour(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        account = people.staff(now)
        with transaction():
            token = invitations.password_link(account, actor=None, now=now)

        assert invitations.read(token, invitations.PASSWORD, now + timedelta(minutes=59)).account_id == account.id
        with pytest.raises(TokenExpired):
            invitations.read(token, invitations.PASSWORD, now + timedelta(hours=1))


class TestRoles:
    def test_on_one_list_and_on_all(self, app: Flask, now: datetime) -> None:
        quarterly, changes = people.larkmere(now), people.policy_changes(now)
        everywhere = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
        here = people.staff(now, "Nadia Khan", Role.EDITOR, on=quarterly)
        edit = Permission.EDIT_ISSUES

        assert [may(everywhere, edit, one) for one in (quarterly, changes, None)] == [True, True, True]
        assert [may(here, edit, one) for one in (quarterly, changes, None)] == [True, False, False]
        assert may_anywhere(here, edit)
        assert not may(None, edit, quarterly)

    def test_nobody_who_is_switched_off_may_anything(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        account = people.staff(now, role=Role.ADMIN)
        people.staff(now, "Nadia Khan", Role.ADMIN)
        with transaction():
            accounts.disable(account, actor=None, now=now)

        assert not any(may(account, permission) for permission in Permission)

    def test_each_role_may_what_the_one_below_may(self) -> None:
        viewer, editor, approver, admin = (
            ROLE_PERMISSIONS[role] for role in (Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.ADMIN)
        )

        assert viewer < editor < approver < admin == frozenset(Permission)

    def test_two_administrators_who_switch_each_other_off(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        ids = [people.staff(now, name, Role.ADMIN).id for name in ("Ruth Adeyemi", "Nadia Khan")]
        outcomes = []

        def switch_off(key: int) -> None:
            with app.app_context():
                try:
                    with transaction():
                        accounts.disable(accounts.find(key), actor=None, now=now)
                    outcomes.append("off")
                except Conflict:
                    outcomes.append("last")

        threads = [threading.Thread(target=switch_off, args=(key,)) for key in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == ["last", "off"]
        db.session.rollback()
        assert accounts.administrators() == 1

    def test_a_refused_change_leaves_no_trace(self, app: Flask, now: datetime) -> None:
        people.larkmere(now)
        ruth = people.staff(now, role=Role.ADMIN)
        with pytest.raises(Conflict), transaction():
            accounts.change_role(ruth, None, None, actor=ruth, now=clock.now())

        assert [one.role for one in ruth.memberships] == [Role.ADMIN]
        assert db.session.scalars(select(Activity)).all() == []


class TestWording:
    @pytest.mark.parametrize("character", ["\r", "\n", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\u202e"])
    def test_nothing_that_could_begin_a_header(self, character: str) -> None:
        with pytest.raises(Invalid):
            wording.line(f"Ruth{character}Bcc: x@example.org", field="name", longest=100)

    @given(st.text(max_size=120))
    def test_a_short_name_of_any_name_is_one_or_nothing(self, name: str) -> None:
        made = wording.slug_of(name)
        if any(letter.isalpha() for letter in made):
            assert wording.slug(made) == made

    def test_a_short_name(self) -> None:
        assert wording.slug_of("Café news, Larkmere & Oakfield") == "cafe-news-larkmere-oakfield"
