//! Schema: the tables, once for both databases; `migrations/postgres` and `migrations/sqlite` create them.
//!
//! Of `executions`, columns are missing that only written statements name: Diesel knows tables of up to 32 columns
//! without a feature that makes every build slower.

diesel::table! {
    organizations (id) {
        id -> Text,
        name -> Text,
        tier -> Text,
        created_at -> crate::connection::sql_types::Moment,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        email -> Text,
        global_role -> Text,
        created_at -> crate::connection::sql_types::Moment,
    }
}

diesel::table! {
    memberships (organization_id, user_id) {
        organization_id -> Text,
        user_id -> Text,
        role -> Text,
        created_at -> crate::connection::sql_types::Moment,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        organization_id -> Text,
        user_id -> Text,
        name -> Text,
        prefix -> Text,
        hash -> Text,
        created_at -> crate::connection::sql_types::Moment,
        revoked_at -> Nullable<crate::connection::sql_types::Moment>,
        scopes -> Text,
        expires_at -> Nullable<crate::connection::sql_types::Moment>,
        last_used_at -> Nullable<crate::connection::sql_types::Moment>,
    }
}

diesel::table! {
    workflows (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        version -> Text,
        tags -> Text,
        is_active -> Bool,
        revision -> Integer,
        lane -> Text,
        created_by -> Text,
        created_at -> crate::connection::sql_types::Moment,
        updated_at -> crate::connection::sql_types::Moment,
        timeout_ms -> Nullable<BigInt>,
        checks_input -> Bool,
        retain_completed_days -> Nullable<Integer>,
        retain_failed_days -> Nullable<Integer>,
        retain_cancelled_days -> Nullable<Integer>,
        edition -> Integer,
        template_id -> Nullable<Text>,
        search_text -> Nullable<Text>,
        paused_at -> Nullable<crate::connection::sql_types::Moment>,
        deleted_at -> Nullable<crate::connection::sql_types::Moment>,
        emptied_at -> Nullable<crate::connection::sql_types::Moment>,
    }
}

diesel::table! {
    workflow_revisions (organization_id, workflow_id, revision) {
        organization_id -> Text,
        workflow_id -> Text,
        revision -> Integer,
        definition -> Text,
        created_at -> crate::connection::sql_types::Moment,
        on_failure -> Nullable<Text>,
    }
}

diesel::table! {
    workflow_templates (id) {
        id -> Text,
        organization_id -> Nullable<Text>,
        name -> Text,
        description -> Nullable<Text>,
        search_text -> Text,
        category -> Text,
        tags -> Text,
        is_shared -> Bool,
        definition -> Text,
        created_by -> Nullable<Text>,
        created_at -> crate::connection::sql_types::Moment,
    }
}

diesel::table! {
    workflow_stats (organization_id, workflow_id) {
        organization_id -> Text,
        workflow_id -> Text,
        executions -> BigInt,
        last_executed_at -> Nullable<crate::connection::sql_types::Moment>,
    }
}

diesel::table! {
    workflow_stats_daily (organization_id, day, workflow_id, status, bucket) {
        organization_id -> Text,
        day -> Integer,
        workflow_id -> Text,
        status -> Text,
        bucket -> Integer,
        executions -> BigInt,
        tokens_used -> BigInt,
        cost_micros -> BigInt,
    }
}

diesel::table! {
    executions (id) {
        id -> Text,
        organization_id -> Text,
        workflow_id -> Text,
        revision -> Integer,
        status -> Text,
        lane -> Text,
        attempt -> Integer,
        claim_token -> Nullable<crate::connection::sql_types::Uuid>,
        claimed_by -> Nullable<Text>,
        losses -> Integer,
        wake_at -> Nullable<crate::connection::sql_types::Moment>,
        journal_len -> Integer,
        inbox -> Integer,
        input -> Text,
        output -> Nullable<Text>,
        error -> Nullable<Text>,
        nodes_executed -> Integer,
        tokens_used -> BigInt,
        cost_micros -> BigInt,
        created_at -> crate::connection::sql_types::Moment,
        started_at -> Nullable<crate::connection::sql_types::Moment>,
        completed_at -> Nullable<crate::connection::sql_types::Moment>,
        parent_execution_id -> Nullable<Text>,
        parent_path -> Nullable<Text>,
        replay_of -> Nullable<Text>,
        on_failure_of -> Nullable<Text>,
        operator_retries -> Integer,
        waits_for -> Nullable<Text>,
        deadline -> Nullable<crate::connection::sql_types::Moment>,
        tags -> Nullable<Text>,
        metadata -> Nullable<Text>,
    }
}

diesel::table! {
    execution_journal (execution_id, seq) {
        organization_id -> Text,
        execution_id -> Text,
        seq -> Integer,
        format -> Integer,
        body -> Text,
        created_at -> crate::connection::sql_types::Moment,
    }
}

diesel::table! {
    execution_inbox (execution_id, seq) {
        organization_id -> Text,
        execution_id -> Text,
        seq -> BigInt,
        key -> Text,
        name -> Text,
        body -> Text,
        created_at -> crate::connection::sql_types::Moment,
    }
}

diesel::table! {
    audit_log (id) {
        id -> Text,
        organization_id -> Text,
        created_at -> crate::connection::sql_types::Moment,
        actor_user_id -> Nullable<Text>,
        api_key_id -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        object_kind -> Text,
        object_id -> Text,
        detail -> Text,
    }
}

diesel::table! {
    usage_counters (organization_id, month, slot) {
        organization_id -> Text,
        month -> Text,
        slot -> Integer,
        executions -> BigInt,
        granted -> Integer,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    organizations,
    users,
    memberships,
    api_keys,
    workflows,
    workflow_revisions,
    workflow_templates,
    workflow_stats,
    workflow_stats_daily,
    executions,
    execution_journal,
    execution_inbox,
    audit_log,
    usage_counters,
);
