import { expect, it } from "vitest";
import { routesOf } from "../../../src/api/rest/routes.js";
import { OtpService } from "../../../src/gen/otp/v1/otp_service_pb.js";

it("the plain routes are those of the annotations in the proto", () => {
  const routes = routesOf(OtpService).map(({ httpMethod, path, method }) => `${httpMethod} ${path} → ${method.name}`);
  expect(routes).toEqual(["POST /otp/generate → Generate", "POST /otp/verify → Verify", "GET /otp/watch → Watch"]);
});
