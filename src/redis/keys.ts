import { type ChallengeId, splitChallengeId } from "../otp/challenge/id.js";
import type { RequestId } from "../otp/token/request-id.js";

/**
 * Every key of an address carries its id as a hash tag, whatever the purpose. Sends and wrong tries in a row are kept by the
 * address; all else is the challenge's. The Lua scripts say what each key holds.
 *
 * Names are short where there is one for each challenge: with 36 and 30 bytes they take 8 bytes less of memory each than with one
 * more. The scripts rely on the key of a request being the challenge's, a colon and its id.
 */
export const keys = {
  challenge: (challenge: ChallengeId) => {
    const { address, purpose } = splitChallengeId(challenge);
    return `otp:{${address}}${purpose}`;
  },
  request: (challenge: ChallengeId, request: RequestId) => `${keys.challenge(challenge)}:${request}`,
  sends: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:s`,
  row: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:row`,
};
