//! The rows of the table of source attributes.

use super::{AttributeType, STRING_MAX, SourceAttribute};

const fn text(name: &'static str, max_length: usize, aliases: &'static [&'static str]) -> SourceAttribute {
    let kind = AttributeType::String;
    SourceAttribute { name, kind, multi_valued: false, aliases, max_length, choices: &[], read_only: false }
}

const fn typed(name: &'static str, kind: AttributeType, aliases: &'static [&'static str]) -> SourceAttribute {
    SourceAttribute { kind, ..text(name, STRING_MAX, aliases) }
}

const fn many(name: &'static str, max_length: usize, aliases: &'static [&'static str]) -> SourceAttribute {
    SourceAttribute { multi_valued: true, ..text(name, max_length, aliases) }
}

const fn one_of(
    name: &'static str,
    choices: &'static [&'static str],
    aliases: &'static [&'static str],
) -> SourceAttribute {
    SourceAttribute { choices, ..text(name, STRING_MAX, aliases) }
}

const fn read_only(attribute: SourceAttribute) -> SourceAttribute {
    SourceAttribute { read_only: true, ..attribute }
}

/// What every directory extension is.
pub(super) const EXTENSION: SourceAttribute = text("extension", 256, &[]);

/// The attributes of users. Limits are those of Microsoft Graph's `user` resource where it names one.
pub const SOURCE_ATTRIBUTES: &[SourceAttribute] = &[
    read_only(typed("objectId", AttributeType::Reference, &["id"])),
    text("userPrincipalName", crate::user::USER_PRINCIPAL_NAME_MAX, &["upn"]),
    text("displayName", 256, &[]),
    text("givenName", 64, &["firstName"]),
    text("surname", 64, &["lastName"]),
    text("mail", 256, &["email"]),
    text("mailNickname", 64, &[]),
    text("jobTitle", 128, &[]),
    text("department", 64, &[]),
    text("employeeId", 256, &[]),
    text("employeeType", 256, &[]),
    typed("employeeHireDate", AttributeType::DateTime, &[]),
    typed("employeeLeaveDateTime", AttributeType::DateTime, &[]),
    text("companyName", 64, &[]),
    typed("manager", AttributeType::Reference, &[]),
    text("city", 128, &[]),
    text("state", 128, &[]),
    text("country", 128, &["countryOrRegion"]),
    text("streetAddress", 1024, &[]),
    text("postalCode", 40, &[]),
    text("usageLocation", 2, &[]),
    text("physicalDeliveryOfficeName", 128, &["officeLocation", "office"]),
    text("telephoneNumber", 64, &["businessPhones", "phoneNumber"]),
    text("mobile", 64, &["mobilePhone"]),
    text("facsimileTelephoneNumber", 64, &["faxNumber"]),
    many("otherMails", 250, &["alternateEmailAddress"]),
    many("proxyAddresses", 2048, &[]),
    typed("accountEnabled", AttributeType::Boolean, &[]),
    one_of("userType", &["Member", "Guest"], &[]),
    text("preferredLanguage", 64, &[]),
    text("extensionAttribute1", 1024, &[]),
    text("extensionAttribute2", 1024, &[]),
    text("extensionAttribute3", 1024, &[]),
    text("extensionAttribute4", 1024, &[]),
    text("extensionAttribute5", 1024, &[]),
    text("extensionAttribute6", 1024, &[]),
    text("extensionAttribute7", 1024, &[]),
    text("extensionAttribute8", 1024, &[]),
    text("extensionAttribute9", 1024, &[]),
    text("extensionAttribute10", 1024, &[]),
    text("extensionAttribute11", 1024, &[]),
    text("extensionAttribute12", 1024, &[]),
    text("extensionAttribute13", 1024, &[]),
    text("extensionAttribute14", 1024, &[]),
    text("extensionAttribute15", 1024, &[]),
    text("onPremisesSamAccountName", 256, &["samAccountName"]),
    text("onPremisesDomainName", 256, &["dnsDomainName"]),
    text("netBiosName", 64, &["onPremisesNetBiosName"]),
    text("onPremisesUserPrincipalName", 256, &[]),
    text("onPremisesSecurityIdentifier", 256, &[]),
    text("onPremisesDistinguishedName", 1024, &[]),
    text("onPremisesImmutableId", 256, &["immutableId"]),
    typed("onPremisesSyncEnabled", AttributeType::Boolean, &["dirSyncEnabled", "directorySynced"]),
    one_of("ageGroup", &["Minor", "NotAdult", "Adult"], &[]),
    one_of("consentProvidedForMinor", &["Granted", "Denied", "NotRequired"], &[]),
    text("legalAgeGroupClassification", 128, &[]),
    text("creationType", 128, &[]),
    text("externalUserState", 128, &["invitationState"]),
    read_only(typed("createdDateTime", AttributeType::DateTime, &[])),
];

/// The attributes of groups.
pub(crate) const GROUP_ATTRIBUTES: &[SourceAttribute] = &[
    read_only(typed("objectId", AttributeType::Reference, &["id"])),
    text("displayName", 256, &["groupDisplayName"]),
    text("description", 1024, &[]),
    typed("securityEnabled", AttributeType::Boolean, &[]),
    typed("mailEnabled", AttributeType::Boolean, &[]),
    text("mail", 256, &["email"]),
    text("mailNickname", 64, &[]),
    many("groupTypes", 64, &["groupType"]),
    many("proxyAddresses", 2048, &[]),
    text("visibility", 64, &[]),
    text("onPremisesSamAccountName", 256, &["samAccountName"]),
    text("onPremisesDomainName", 256, &["dnsDomainName"]),
    text("netBiosName", 64, &["onPremisesNetBiosName"]),
    text("onPremisesSecurityIdentifier", 256, &[]),
    typed("onPremisesSyncEnabled", AttributeType::Boolean, &["dirSyncEnabled", "directorySynced"]),
    read_only(typed("createdDateTime", AttributeType::DateTime, &[])),
];
