"""The user pool."""

import pytest

from bellwether.domain.rights import GROUPS
from tests.infrastructure.synthesis import Synthesis


@pytest.mark.req("U1")
def test_production_asks_for_a_second_factor_and_long_passwords(production: Synthesis) -> None:
    (pool,) = production.of("AWS::Cognito::UserPool")
    properties = pool.properties
    assert properties["MfaConfiguration"] == "ON"
    assert properties["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    policy = properties["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 14
    assert policy["PasswordHistorySize"] == 12
    assert all(policy[f"Require{what}"] for what in ("Lowercase", "Uppercase", "Numbers", "Symbols"))


@pytest.mark.req("U1")
def test_users_are_made_by_administrators_and_recover_by_mail_alone(production: Synthesis) -> None:
    (pool,) = production.of("AWS::Cognito::UserPool")
    assert pool.properties["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool.properties["AccountRecoverySetting"]["RecoveryMechanisms"] == [
        {"Name": "verified_email", "Priority": 1}
    ]


@pytest.mark.req("U1")
def test_production_watches_sign_ins_and_keeps_its_users(production: Synthesis) -> None:
    (pool,) = production.of("AWS::Cognito::UserPool")
    assert pool.properties["UserPoolTier"] == "PLUS"
    assert pool.properties["UserPoolAddOns"]["AdvancedSecurityMode"] == "ENFORCED"
    assert pool.properties["DeletionProtection"] == "ACTIVE"
    assert pool.rest["DeletionPolicy"] == "Retain"


@pytest.mark.req("U1")
def test_production_refuses_stolen_passwords_and_risky_sign_ins_and_logs_them_all(
    production: Synthesis,
) -> None:
    (pool,) = production.of("AWS::Cognito::UserPool")
    (risk,) = production.of("AWS::Cognito::UserPoolRiskConfigurationAttachment")
    assert risk.properties["UserPoolId"] == {"Ref": pool.logical_id}
    stolen = risk.properties["CompromisedCredentialsRiskConfiguration"]
    assert stolen["Actions"]["EventAction"] == "BLOCK"
    takeover = risk.properties["AccountTakeoverRiskConfiguration"]["Actions"]
    assert takeover["HighAction"]["EventAction"] == "BLOCK"
    (delivery,) = production.of("AWS::Cognito::LogDeliveryConfiguration")
    sources = {c["EventSource"] for c in delivery.properties["LogConfigurations"]}
    assert sources == {"userAuthEvents", "userNotification"}
    (log,) = [
        group
        for group in production.of("AWS::Logs::LogGroup", "auth")
        if group.properties.get("LogGroupName") == "bellwether-production-sign-ins"
    ]
    assert log.properties["RetentionInDays"] == 90


@pytest.mark.req("U1", "S4")
def test_a_firewall_stands_before_the_pool(production: Synthesis) -> None:
    (acl,) = production.of("AWS::WAFv2::WebACL", "auth")
    (tied,) = production.of("AWS::WAFv2::WebACLAssociation", "auth")
    (pool,) = production.of("AWS::Cognito::UserPool")
    assert tied.properties["WebACLArn"] == {"Fn::GetAtt": [acl.logical_id, "Arn"]}
    assert tied.properties["ResourceArn"] == {"Fn::GetAtt": [pool.logical_id, "Arn"]}


@pytest.mark.req("U1", "U3")
def test_the_pool_asks_before_it_makes_tokens_and_after_a_forgotten_password(
    production: Synthesis, local: Synthesis
) -> None:
    for synthesis in (production, local):
        (pool,) = synthesis.of("AWS::Cognito::UserPool")
        function = {"Fn::GetAtt": [synthesis.function("sign_in").logical_id, "Arn"]}
        triggers = pool.properties["LambdaConfig"]
        assert triggers["PreTokenGenerationConfig"] == {"LambdaArn": function, "LambdaVersion": "V2_0"}
        assert triggers["PostConfirmation"] == function
        permissions = [
            p
            for p in synthesis.of("AWS::Lambda::Permission", "auth")
            if p.properties["Principal"] == "cognito-idp.amazonaws.com"
        ]
        assert permissions
        for permission in permissions:
            assert permission.properties["SourceArn"] == {"Fn::GetAtt": [pool.logical_id, "Arn"]}


@pytest.mark.req("U1", "S3")
def test_nobody_but_the_function_and_administrators_can_say_when_a_password_was_set(
    production: Synthesis,
) -> None:
    (pool,) = production.of("AWS::Cognito::UserPool")
    assert "password_set_at" in {attribute["Name"] for attribute in pool.properties["Schema"]}
    (client,) = production.of("AWS::Cognito::UserPoolClient")
    assert client.properties["WriteAttributes"] == ["name"]
    writing = [
        s for s in production.statements("sign_in") if "cognito-idp:AdminUpdateUserAttributes" in str(s)
    ]
    assert [s["Resource"] for s in writing] == [{"Fn::GetAtt": [pool.logical_id, "Arn"]}]
    days = production.function("sign_in").properties["Environment"]["Variables"]["PASSWORD_DAYS"]
    assert days == "180"


@pytest.mark.req("U2")
def test_groups_are_those_with_rights(production: Synthesis) -> None:
    groups = {g.properties["GroupName"] for g in production.of("AWS::Cognito::UserPoolGroup")}
    assert groups == set(GROUPS)


@pytest.mark.req("U1")
def test_passwords_cross_the_network_only_on_the_same_machine(
    production: Synthesis, staging: Synthesis, local: Synthesis
) -> None:
    def flows(synthesis: Synthesis) -> set[str]:
        (client,) = synthesis.of("AWS::Cognito::UserPoolClient")
        return set(client.properties["ExplicitAuthFlows"]) - {"ALLOW_REFRESH_TOKEN_AUTH"}

    assert flows(production) == flows(staging) == {"ALLOW_USER_SRP_AUTH"}
    assert flows(local) == {"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"}


@pytest.mark.req("U3")
def test_tokens_are_short_lived_and_revocable(production: Synthesis) -> None:
    (client,) = production.of("AWS::Cognito::UserPoolClient")
    assert client.properties["AccessTokenValidity"] == 60
    assert client.properties["RefreshTokenValidity"] == 720
    assert client.properties["EnableTokenRevocation"] is True
    assert client.properties["PreventUserExistenceErrors"] == "ENABLED"
    assert client.properties["GenerateSecret"] is False
