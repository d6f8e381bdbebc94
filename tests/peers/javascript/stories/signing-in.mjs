// @azure/identity: tokens for a client with a secret.

import assert from "node:assert/strict";

/** What a token says of itself. */
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

export const stories = {
    "a secret gives a token for Resource Manager": async (azure) => {
        const { token, expiresOnTimestamp } = await azure.credential().getToken(azure.scope);
        const said = claims(token);
        assert.equal(said.tid, azure.tenant);
        assert.equal(said.appid, azure.clientId);
        assert.equal(said.aud.replace(/\/$/, ""), azure.endpoint);
        assert.ok(Math.abs(said.exp - expiresOnTimestamp / 1000) < 120);
    },

    "a second token comes from the cache": async (azure) => {
        const credential = azure.credential();
        const first = await credential.getToken(azure.scope);
        const start = await azure.mark();
        assert.equal((await credential.getToken(azure.scope)).token, first.token);
        assert.deepEqual(await azure.asked(start), []);
    },

    "a wrong secret is refused with Entra's code": async (azure) => {
        const asked = azure.credential({ secret: "wrong" }).getToken(azure.scope);
        await assert.rejects(asked, { name: "AuthenticationRequiredError", message: /AADSTS7000215/ });
    },

    "an unknown client is refused with Entra's code": async (azure) => {
        const clientId = "00000000-aaaa-bbbb-cccc-000000000000";
        await assert.rejects(azure.credential({ clientId }).getToken(azure.scope), {
            name: "AuthenticationRequiredError",
            message: /AADSTS700016/,
        });
    },
};
