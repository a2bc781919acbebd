//! People: organizations, users, members and their keys.

use std::time::Duration;

use chrono::TimeDelta;
use gristmill_core::access::{GlobalRole, OrganizationRole, Permission, Scopes, Standing, Tier};
use gristmill_core::{ApiKeyId, OrganizationId, UserId};
use gristmill_store::{
    Actor, Admitted, NewApiKey, NewOrganization, NewUser, Revoked, Store, System, Tenant, User,
};
use gristmill_testkit::TestDatabase;

use crate::raw;

const BY: &Actor = &Actor::OPERATOR;

pub(crate) async fn a_key_is_listed_and_revoked_by_who_may(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, bob) = mill(store).await;
    let (other, _, _) = mill(store).await;
    let mut ids = Vec::new();
    for (owner, hash) in [(&ada, "1"), (&bob, "2"), (&ada, "3")] {
        let made = store
            .add_api_key(&tenant, BY, &owner.id, key(hash))
            .await
            .unwrap();
        ids.push(made.unwrap().id);
    }
    let list = async |tenant: &Tenant, owner: Option<&UserId>, before: Option<&ApiKeyId>, limit| {
        let keys = store.api_keys(tenant, owner, before, limit).await.unwrap();
        keys.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    let [one, two, three] = [0, 1, 2].map(|n| ids[n].clone());
    assert_eq!(
        list(&tenant, None, None, 10).await,
        [three.clone(), two.clone(), one.clone()]
    );
    assert_eq!(
        list(&tenant, Some(&ada.id), None, 10).await,
        [three.clone(), one.clone()]
    );
    assert_eq!(
        list(&tenant, None, Some(&three), 1).await,
        std::slice::from_ref(&two)
    );
    assert_eq!(list(&other, None, None, 10).await, []);

    let revoke = async |tenant: &Tenant, id: &ApiKeyId, owner: Option<&UserId>| {
        store.revoke_api_key(tenant, BY, id, owner).await.unwrap()
    };
    assert_eq!(revoke(&other, &two, None).await, Revoked::Unknown);
    assert_eq!(revoke(&tenant, &two, Some(&ada.id)).await, Revoked::Unknown);
    assert!(store.api_key_by_hash(System, "2").await.unwrap().is_some());
    assert_eq!(revoke(&tenant, &two, Some(&bob.id)).await, Revoked::Yes);
    assert_eq!(revoke(&tenant, &two, None).await, Revoked::Already);
    assert_eq!(revoke(&tenant, &one, None).await, Revoked::Yes);
    assert!(store.api_key_by_hash(System, "2").await.unwrap().is_none());
    assert!(store.api_key_by_hash(System, "3").await.unwrap().is_some());
}

pub(crate) async fn an_expired_key_has_no_owner(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, _) = mill(store).await;
    let now = store.now().await.unwrap();
    for (hash, ends) in [("over", -1), ("soon", 60)] {
        let new = NewApiKey {
            expires_at: Some(now + TimeDelta::seconds(ends)),
            ..key(hash)
        };
        store.add_api_key(&tenant, BY, &ada.id, new).await.unwrap();
    }
    assert_eq!(store.api_key_by_hash(System, "over").await.unwrap(), None);
    let soon = store.api_key_by_hash(System, "soon").await.unwrap().unwrap();
    let left = soon.expires_in.unwrap();
    assert!(
        left <= Duration::from_secs(60) && left > Duration::from_secs(30),
        "{left:?}"
    );
}

pub(crate) async fn a_keys_last_use_is_noted_once_a_minute(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, _) = mill(store).await;
    let id = key("1").id;
    let new = NewApiKey {
        id: id.clone(),
        ..key("1")
    };
    store.add_api_key(&tenant, BY, &ada.id, new).await.unwrap();
    let is_news = async || {
        let owner = store.api_key_by_hash(System, "1").await.unwrap();
        owner.unwrap().use_is_news
    };
    let noted = async || store.api_keys(&tenant, None, None, 1).await.unwrap()[0].last_used_at;
    assert!(is_news().await);
    store.note_api_key_use(&tenant, &id).await.unwrap();
    let first = noted().await.unwrap();
    assert!(!is_news().await);
    store.note_api_key_use(&tenant, &id).await.unwrap();
    assert_eq!(noted().await, Some(first));
    let earlier = match raw::sqlite_path(db) {
        Some(_) => "last_used_at - 61000000",
        None => "last_used_at - interval '61 seconds'",
    };
    raw::execute(db, &format!("UPDATE api_keys SET last_used_at = {earlier}")).await;
    assert!(is_news().await);
    store.note_api_key_use(&tenant, &id).await.unwrap();
    assert!(noted().await.unwrap() >= first);
}

pub(crate) async fn a_keys_scopes_are_kept(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, _) = mill(store).await;
    let some = Scopes::only([Permission::WorkflowsExecute, Permission::WorkflowsView]);
    let new = NewApiKey {
        scopes: some,
        ..key("some")
    };
    let made = store.add_api_key(&tenant, BY, &ada.id, new).await.unwrap();
    assert_eq!(made.unwrap().scopes, some);
    store.add_api_key(&tenant, BY, &ada.id, key("all")).await.unwrap();
    let scopes = async |hash| {
        let owner = store.api_key_by_hash(System, hash).await.unwrap();
        owner.unwrap().scopes
    };
    assert_eq!(scopes("some").await, some);
    assert_eq!(scopes("all").await, Scopes::ALL);
}

pub(crate) async fn a_removed_member_has_no_keys_and_no_standing(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, bob) = mill(store).await;
    let (other, _, _) = mill(store).await;
    store
        .add_member(&other, BY, &ada.id, OrganizationRole::Member)
        .await
        .unwrap();
    for (tenant, owner, hash) in [
        (&tenant, &ada, "ada"),
        (&tenant, &bob, "bob"),
        (&other, &ada, "elsewhere"),
    ] {
        store.add_api_key(tenant, BY, &owner.id, key(hash)).await.unwrap();
    }
    assert_eq!(store.remove_member(&tenant, BY, &ada.id).await.unwrap(), Some(1));
    assert_eq!(store.remove_member(&tenant, BY, &ada.id).await.unwrap(), None);
    for (hash, works) in [("ada", false), ("bob", true), ("elsewhere", true)] {
        let found = store.api_key_by_hash(System, hash).await.unwrap();
        assert_eq!(found.is_some(), works, "{hash}");
    }
    let standing = async |tenant: &Tenant| store.standing(System, &tenant.0, &ada.id).await.unwrap();
    assert_eq!(standing(&tenant).await, None);
    assert!(standing(&other).await.is_some());
    let added = store
        .add_api_key(&tenant, BY, &ada.id, key("again"))
        .await
        .unwrap();
    assert_eq!(added, None);
}

pub(crate) async fn users_members_and_organizations_are_made_and_changed(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, bob) = mill(store).await;
    let taken = NewUser {
        name: "Another".to_owned(),
        email: ada.email.clone(),
        global_role: "USER".to_owned(),
    };
    assert_eq!(store.create_user(System, taken).await.unwrap(), None);
    assert_eq!(
        store.user_by_email(System, &bob.email).await.unwrap(),
        Some(bob.clone())
    );
    assert_eq!(
        store.users(System, None, 10).await.unwrap(),
        [ada.clone(), bob.clone()]
    );
    assert_eq!(
        store.users(System, Some(&ada.id), 10).await.unwrap(),
        std::slice::from_ref(&bob)
    );
    for (tenant, user, expected) in [
        (&tenant, &bob.id, Admitted::Already),
        (&tenant, &UserId::new(), Admitted::Unknown),
        (&Tenant(OrganizationId::new()), &bob.id, Admitted::Unknown),
    ] {
        let added = store.add_member(tenant, BY, user, OrganizationRole::Owner).await;
        assert_eq!(added.unwrap(), expected);
    }
    assert!(
        store
            .set_member_role(&tenant, BY, &bob.id, OrganizationRole::Admin)
            .await
            .unwrap()
    );
    assert!(
        store
            .set_global_role(System, BY, &bob.id, GlobalRole::Moderator)
            .await
            .unwrap()
    );
    assert!(store.set_tier(&tenant, BY, Tier::Elite).await.unwrap());
    let standing = store.standing(System, &tenant.0, &bob.id).await.unwrap();
    let expected = Standing {
        global_role: GlobalRole::Moderator,
        organization_role: Some(OrganizationRole::Admin),
        tier: Tier::Elite,
    };
    assert_eq!(standing, Some(expected));
    let members = store.members(&tenant).await.unwrap();
    let roles: Vec<_> = members
        .iter()
        .map(|member| (&member.user_id, member.role.as_str(), member.global_role))
        .collect();
    assert_eq!(
        roles,
        [
            (&ada.id, "OWNER", GlobalRole::User),
            (&bob.id, "ADMIN", GlobalRole::Moderator)
        ]
    );
    let organizations = store.organizations(System, None, 10).await.unwrap();
    assert_eq!(organizations.len(), 1);
    assert_eq!(
        (&organizations[0].id, organizations[0].tier),
        (&tenant.0, Tier::Elite)
    );

    let nobody = UserId::new();
    let nowhere = Tenant(OrganizationId::new());
    assert!(!store.set_tier(&nowhere, BY, Tier::Elite).await.unwrap());
    assert!(
        !store
            .set_global_role(System, BY, &nobody, GlobalRole::Admin)
            .await
            .unwrap()
    );
    assert!(
        !store
            .set_member_role(&nowhere, BY, &bob.id, OrganizationRole::Member)
            .await
            .unwrap()
    );
}

pub(crate) async fn a_role_that_nobody_knows_gives_no_access(db: &TestDatabase) {
    let store = db.store();
    let (tenant, ada, _) = mill(store).await;
    store.add_api_key(&tenant, BY, &ada.id, key("1")).await.unwrap();
    raw::execute(db, "UPDATE memberships SET role = 'GUEST'").await;
    let owner = store.api_key_by_hash(System, "1").await.unwrap().unwrap();
    let standing = store.standing(System, &tenant.0, &ada.id).await.unwrap().unwrap();
    assert_eq!(owner.standing, standing);
    assert_eq!(standing.organization_role, None);
    assert!(!standing.gives(Permission::Access));
}

/// An organization with an owner and a member.
async fn mill(store: &Store) -> (Tenant, User, User) {
    let new = NewOrganization {
        name: "Mill".to_owned(),
        tier: "GROWTH".to_owned(),
    };
    let tenant = Tenant(store.create_organization(System, BY, new).await.unwrap().id);
    let mut users = Vec::new();
    for (name, role) in [
        ("Ada", OrganizationRole::Owner),
        ("Bob", OrganizationRole::Member),
    ] {
        let new = NewUser {
            name: name.to_owned(),
            email: format!("{name}@{}.example", tenant.0),
            global_role: "USER".to_owned(),
        };
        let user = store.create_user(System, new).await.unwrap().unwrap();
        let added = store.add_member(&tenant, BY, &user.id, role).await.unwrap();
        assert_eq!(added, Admitted::Yes);
        users.push(user);
    }
    let bob = users.remove(1);
    (tenant, users.remove(0), bob)
}

fn key(hash: &str) -> NewApiKey {
    NewApiKey {
        id: ApiKeyId::new(),
        name: hash.to_owned(),
        prefix: "gm_0".to_owned(),
        hash: hash.to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
    }
}
