"""Columns that hold nothing of persons, by table, blanks between: addresses of LMSs, sessions, numbers of rows.

Titles of courses and names of universities, activities and series stand here, too: they name things. What is written
here by nobody but programs may still be wrong about that, so each column is named one by one.
"""

from collections.abc import Mapping

FREE: Mapping[str, str] = {
    "announcement": "id course_id session_id about token state attempts began_at next_at discussion_id problem made_at "
    "done_at",
    "audit_seal": "id first_audit_id last_audit_id lines line_digests seal sealed_at",
    "calendar_source": "series_id source etag last_modified body_hash read_at failing_since failures reason "
    "next_fetch_at",
    "check_in": "id session_id code opens_at closes_at",
    "course": "id university_id deployment_id context_id title memberships_url copied_from moodle_course_id "
    "feed_generation feed_read_at announces",
    "course_audience": "course_id series_id audience schools",
    "course_collect": "course_id read_at all_read_at generation",
    "course_count": "course_id series_id required session_ids",
    "course_roster": "course_id read_at failing_since failures reason next_read_at",
    "course_series": "course_id series_id is_mirrored",
    "deletion_certificate": "id university_name country counts proof",
    "deployment": "id platform_id deployment_id state first_seen_at first_course",
    "gradebook_pause": "platform_id failures failing_since until reason only_by",
    "held_plan": "series_id is_rejected source digest reasons held_at",
    "installation": "id installation_id",
    "join_link_change": "id session_id old_host new_host",
    "lms_invitation": "id university_id approves expires_at revoked_at claimed_until used_at platform_id problem "
    "problem_at",
    "mapped_activity": "course_id cmid session_id module name problem",
    "mirror": "course_id session_id event_id fingerprint updated_at began_at shown_as",
    "moodle_account": "id university_id base_url",
    "moodle_connection": "university_id base_url token_sealed level site_name failures failing_since paused_until "
    "reason checks checked_at gaps_since connected_at",
    "moodle_job": "university_id job next_at again_at failures ran_at asked_at",
    "placement": "id deployment_id resource_link_id course_id series_id session_id line_item_url line_items_url "
    "ags_scopes line_item_attempts line_item_next_at line_item_problem first_seen_at went_over",
    "platform": "id slug university_id issuer client_id authorization_endpoint token_endpoint jwks_uri token_audience "
    "product state succeeds_platform_id created_at granted_scopes lms_version",
    "platform_arrival": "platform_id message_type claims unexpanded seen_at",
    "platform_check": "platform_id next_at asked_at began_at checked_at checks gaps_since trial_left_in",
    "platform_key_set": "platform_id key_set fetched_at attempted_at",
    "pooled_count": "series_id block university_id step_at people",
    "pooled_step": "series_id step_at smallest_group",
    "pseudonym_salt": "university_id generation salt made_at",
    "refusal": "id platform_id at code reference",
    "round_answer": "course_id old_series_id new_series_id is_taken",
    "rule_version": "id series_id session_id version rule",
    "seen_session": "course_id session_id status start_at",
    "series": "id slug title time_zone source passphrase_sealed scores_stale_at created_at copied_from_id join_hosts "
    "smallest_group pooled_by",
    "session": "id series_id hosting_university_id join_url start_at end_at wall_start zone status moved_from_at "
    "sequence by_hand is_own rule_version_id updated_at replanned_at is_rehearsal refused_join_host copied_from_id",
    "session_alias": "series_id source_uid original_start_at session_id",
    "sync_run": "id job scope slot started_at alive_at finished_at outcome counts calls reason",
    "tool_key": "kid private_key_sealed created_at signs_from retires_at",
    "transfer_instrument": "university_id instrument",
    "university": "id slug name country time_zone language left_at",
    "uploaded_table": "series_id run_id",
}
