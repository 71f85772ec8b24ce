import { createServer } from "node:http";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { listen } from "./listen.js";

/** A connect-node service that accepts every code. */
const adapter = connectNodeAdapter({
  routes: (router) => router.service(OtpService, { verify: () => ({ message: "OTP is correct" }) }),
});
listen(createServer(adapter));
