import { challengesContract } from "../../support/fakes/challenges-contract.js";
import { MemoryChallenges } from "../../support/fakes/memory-challenges.js";

challengesContract("memory", async () => {
  const challenges = new MemoryChallenges();
  return {
    challenges,
    pass: async (_challenge, ms) => {
      challenges.now += ms;
    },
  };
});
