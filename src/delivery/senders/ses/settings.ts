import { baseUrl, text } from "../../../config/values.js";
import { MAIL_FROM, perSecond, senderSettings } from "../settings.js";

export const ses = senderSettings({
  title: "Amazon SES",
  channel: "email",
  needs: {
    SES_REGION: text({
      desc: "The AWS region of Amazon SES. The AWS SDK looks for credentials in the usual places: `AWS_ACCESS_KEY_ID`, a role, and so on.",
      example: "eu-central-1",
      docs: "https://docs.aws.amazon.com/general/latest/gr/ses.html",
    }),
    MAIL_FROM,
  },
  options: {
    SES_URL: baseUrl({
      default: undefined,
      desc: "The endpoint of Amazon SES if it is not the region's own, for example a VPC endpoint.",
    }),
    SES_PER_SECOND: perSecond("Amazon SES"),
  },
  async open({ SES_REGION, SES_URL, MAIL_FROM, SES_PER_SECOND }) {
    const { SesSender } = await import("./sender.js"); // imported only when needed: the AWS SDK takes 20 MB
    return {
      sender: new SesSender({ region: SES_REGION, endpoint: SES_URL, from: MAIL_FROM }),
      perSecond: SES_PER_SECOND,
    };
  },
});
