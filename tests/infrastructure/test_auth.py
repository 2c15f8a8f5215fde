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
