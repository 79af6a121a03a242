//! What one tenant or address may ask for, and that the others are served all the same.

use super::*;

const USERS: &str = "/t/contoso/scim/v2/Users";

/// AU-11: who tries tokens is told to wait, and whoever has one is served all the while.
#[tokio::test]
async fn au_11_bad_tokens_are_slowed_down_and_nobody_is_locked_out() {
    let running = start(patient()).await;
    let mut limited = 0;
    for number in 0..300 {
        let bad = format!("lst_{number:A>43}");
        let answer = running.ask_as(Some(&bad), &format!("GET {USERS}"), "", "").await;
        if answer.status == 429 {
            limited += 1;
            answer.is_error(429, "a bad token");
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds));
        } else {
            answer.is_error(401, "a bad token");
        }
        if number % 50 == 0 {
            assert_eq!(running.ask(&format!("GET {USERS}"), "", "").await.status, 200);
        }
    }
    assert!(limited > 0);
    assert_eq!(running.ask(&format!("GET {USERS}"), "", "").await.status, 200);
}

/// AU-11 at the token endpoint (RFC 6749 §2.3.1): secrets and assertions that are wrong, in the form of its other refusals.
#[tokio::test]
async fn au_11_wrong_secrets_at_the_token_endpoint_are_slowed_down() {
    let running = start(patient()).await;
    let id = "0198c0de-0000-7000-8000-000000000000";
    let (mut refused, mut limited) = (0, 0);
    for number in 0..300 {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret=wrong-{number}");
        let headers = "content-type: application/x-www-form-urlencoded\r\n";
        let answer = running.ask_as(None, "POST /t/contoso/oauth2/token", headers, &form).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        if answer.status == 429 {
            limited += 1;
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds));
        } else {
            assert_eq!(answer.status, 401);
            refused += 1;
        }
    }
    assert!(refused >= 100 && limited > 0, "{refused} {limited}");
    assert_eq!(running.ask(&format!("GET {USERS}"), "", "").await.status, 200);
}

#[tokio::test]
async fn a_tenant_at_its_own_rate_is_told_to_wait_and_another_is_served() {
    let running = start(patient()).await;
    let settings = TenantSettings { requests_per_second: Some(5), ..TenantSettings::default() };
    let slow = tenant(&running.store, "fabrikam", &settings).await;
    let mut limited = 0;
    for _ in 0..40 {
        let answer = running.ask_as(Some(&slow), "GET /t/fabrikam/scim/v2/Users", "", "").await;
        if answer.status == 429 {
            answer.is_error(429, "beyond the rate");
            assert_eq!(answer.header("retry-after"), Some("1"));
            limited += 1;
        }
        assert_eq!(running.ask(&format!("GET {USERS}"), "", "").await.status, 200);
    }
    assert!(limited > 0);
}

/// TI-06: far fewer requests than the rate allows, each with many operations in it.
#[tokio::test]
async fn ti_06_operations_in_bulk_count_by_the_common_rate() {
    let edge = EdgeSettings { requests_per_second: 50, ..EdgeSettings::default() };
    let running = start_with(patient(), TestDatabase::sqlite(), edge).await;
    let noisy = tenant(&running.store, "fabrikam", &TenantSettings::default()).await;
    let operation = r#"{"method":"DELETE","path":"/Users/0198c0de-0000-7000-8000-000000000000"}"#;
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    let body = format!(r#"{{"schemas":["{schema}"],"Operations":[{}]}}"#, [operation; 60].join(","));
    let headers = "content-type: application/scim+json\r\n";
    // That the other goes on beside it is known after a moment.
    for done in 0.. {
        assert!(done < 10_000, "never limited");
        assert_eq!(running.ask(&format!("GET {USERS}"), "", "").await.status, 200);
        let answer = running.ask_as(Some(&noisy), "POST /t/fabrikam/scim/v2/Bulk", headers, &body).await;
        if answer.status != 200 {
            answer.is_error(429, "operations beyond the rate");
            assert!(done > 0, "the first ones are within it");
            break;
        }
    }
}
